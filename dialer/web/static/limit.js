// Abandoned calls against their limit: one text and one bar, the same wherever they are shown.

import { moment, number, t } from "./common.js";

export const rate = (campaign) => (campaign.answered ? campaign.abandoned / campaign.answered : 0);

/** Both counts, the window, the limit, and what is owed or was carried in. */
export function abandonText(campaign) {
  const parts = [
    t("abandon.counts", { abandoned: number(campaign.abandoned), answered: number(campaign.answered) }),
    campaign.window_starts_at ? t("abandon.since", { at: moment(campaign.window_starts_at) }) : "",
    t("abandon.limit", { limit: number(campaign.cap_permille / 10, 1) }),
    t(`budget.${campaign.budget_mode}`),
  ];
  if (campaign.owed) parts.push(t("budget.owed", { answers: number(campaign.owed) }));
  if (campaign.carried_answered) {
    parts.push(t("abandon.carried", { abandoned: number(campaign.carried_abandoned), answered: number(campaign.carried_answered) }));
  }
  return parts.filter(Boolean).join(" · ");
}

/** The bar's mark is the limit; it stands at two thirds. */
export function fill(bar, campaign) {
  const share = campaign?.cap_permille ? (rate(campaign) * 1000) / campaign.cap_permille : 0;
  bar.style.width = `${Math.min(100, (share * 200) / 3)}%`;
  bar.dataset.level = share >= 1 ? "over" : share >= 0.8 ? "near" : "fine";
}
