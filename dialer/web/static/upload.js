// Sends a file as it is, with its progress, which fetch cannot tell.

import { Refusal, t } from "./common.js";

/** Resolves to the answer, rejects with a Refusal; `told` hears how many percent are sent. */
export function upload(path, file, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.responseType = "json";
    request.setRequestHeader("X-Dialer", "1");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => told((100 * event.loaded) / event.total);
    request.onerror = () => reject(new Refusal(0, { code: "no_answer", message: t("error.no_answer") }));
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else reject(new Refusal(request.status, request.response?.error ?? { code: "internal", message: request.statusText }));
    };
    request.send(file);
  });
}
