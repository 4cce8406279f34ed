// Every number leads to the facts it counts.

/** The address of a list of attempts; what is null or undefined does not narrow it. */
export function factsOf(asked) {
  return `/attempts?${new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== null && value !== undefined))}`;
}

/** What each number of the dictionary counts; those of operators' time count no attempts. */
const OF_NUMBERS = {
  attempts: {},
  connected: { outcome: "connected" },
  results: { fact: "results" },
  results_per_hour: { fact: "results" },
  answer_rate: { fact: "answered" },
  contact_rate: { fact: "reached" },
  calls_per_closed_contact: { fact: "closed" },
  closed_contacts_per_hour: { fact: "closed" },
  talk: { outcome: "connected" },
  abandon_rate: { fact: "abandoned" },
  answer_to_voice_p50: { outcome: "connected" },
  answer_to_voice_p99: { outcome: "connected" },
};

/** Where a number of the dictionary leads; null for one without facts of its own. */
export function factsOfNumber(id, period) {
  if (id === "leads") return `/leads?${new URLSearchParams({ fact: id, ...period })}`;
  return id in OF_NUMBERS ? factsOf({ ...OF_NUMBERS[id], ...period }) : null;
}
