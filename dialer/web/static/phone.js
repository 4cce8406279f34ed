// The operator's phone in the browser: registered while the page has the line, answers its own nailed-up call and no
// other, and says what is wrong in words people understand. Who is called, and when, is decided by the server.

import JsSIP from "./vendor/jssip.js";
import { ask } from "./common.js";

const STATS_EVERY_MS = 1000;
const TAKEN_OVER = 4409;
/** Of the voice sent or heard in the last seconds, what share may be lost before it is worth a word. */
const LOSS_FAIR = 0.02;
const LOSS_BAD = 0.06;
const JITTER_BAD_S = 0.06;
const ROUND_TRIP_BAD_S = 0.5;
/** Quieter than this for so long while talking, and the microphone is probably off. */
const SILENT_LEVEL = 0.0005;
const SILENT_S = 12;

/** An id of this tab that survives a reload; a tab made by "duplicate" gets its own. */
export async function pageId() {
  const fresh = () => [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  let id = sessionStorage.getItem("page") ?? fresh();
  const mine = await new Promise((resolve) => {
    if (!navigator.locks) return resolve(true);
    navigator.locks.request(`page.${id}`, { ifAvailable: true }, (lock) => {
      resolve(Boolean(lock));
      return lock ? new Promise(() => {}) : undefined; // held while the page lives
    });
  });
  if (!mine) {
    id = fresh();
    navigator.locks.request(`page.${id}`, () => new Promise(() => {}));
  }
  sessionStorage.setItem("page", id);
  return id;
}

export class Phone extends EventTarget {
  /** What is wrong with the microphone (`asking`, `denied`, `none`, `busy`), or `ok`. */
  mic = "asking";
  /** `off`, `connecting`, `registered`, `elsewhere`, `refused`, `lost`. */
  line = "off";
  muted = false;
  held = false;
  /** Figures of the last second; null while no call is up. */
  quality = null;
  /** 0 to 1, what the microphone hears right now. */
  level = 0;
  #page;
  #account;
  #leg;
  #audio;
  #agent = null;
  #session = null;
  #coming = false;
  #stream = null;
  #meter = null;
  #before = null;
  #silentS = 0;
  #retry = 0;
  #wanted = false;

  /**
   * @param page Id of this tab.
   * @param leg Tells the id of the operator's nailed-up call, null while there is no shift.
   * @param audio Where the callee is heard.
   * @param account Where the SIP account is asked for.
   */
  constructor(page, leg, audio, account = "/api/v1/operator/phone") {
    super();
    this.#account = account;
    this.#page = page;
    this.#leg = leg;
    this.#audio = audio;
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#devicesChanged());
  }

  /** Whether calls may come: a microphone, a registration. */
  get usable() {
    return this.mic === "ok" && this.line === "registered";
  }

  /** Whether the nailed-up call is up. */
  get up() {
    return Boolean(this.#session?.isEstablished());
  }

  /** Whether a call is up or coming. */
  get busy() {
    return this.#coming || this.#session?.isEnded() === false;
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  // Microphone ------------------------------------------------------------------

  /** Ask for the microphone chosen before, else the system's; never throws. */
  async listen() {
    const chosen = localStorage.getItem("microphone");
    const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "NotAllowedError");
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...wanted, ...(chosen ? { deviceId: { ideal: chosen } } : {}) } });
      this.#take(stream);
      this.mic = "ok";
    } catch (error) {
      this.mic = { NotAllowedError: "denied", NotFoundError: "none", NotReadableError: "busy" }[error.name] ?? "none";
    }
    this.#tell();
  }

  /** Say nothing and need no microphone; whoever only listens does not. */
  silent() {
    this.#take(this.#wake().createMediaStreamDestination().stream);
    this.mic = "ok";
    this.#tell();
  }

  /** Let go of the microphone. */
  release() {
    this.#stream?.getTracks().forEach((one) => one.stop());
    this.#stream = null;
  }

  #take(stream) {
    const old = this.#stream;
    this.#stream = stream;
    const [track] = stream.getAudioTracks();
    track.addEventListener("ended", () => this.#stream === stream && this.#lost());
    track.enabled = !this.muted;
    const sender = this.#session?.connection?.getSenders().find((one) => one.track?.kind === "audio");
    sender?.replaceTrack(track);
    old?.getTracks().forEach((one) => one.stop());
    this.#measure(stream);
  }

  #lost() {
    this.mic = "none";
    this.#tell();
  }

  async #devicesChanged() {
    this.dispatchEvent(new Event("devices"));
    if (this.mic !== "ok") await this.listen();
  }

  #measure(stream) {
    this.#wake();
    const heard = this.#meter.createAnalyser();
    heard.fftSize = 512;
    const samples = new Float32Array(heard.fftSize);
    const source = this.#meter.createMediaStreamSource(stream);
    source.connect(heard);
    const look = () => {
      if (this.#stream !== stream) return source.disconnect();
      heard.getFloatTimeDomainData(samples);
      const loud = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
      this.level = Math.min(1, loud * 6);
      this.dispatchEvent(new Event("level"));
      setTimeout(look, document.hidden ? 1000 : 80);
    };
    look();
  }

  /** Sounds and meters work after the first key or click; browsers want that. */
  #wake() {
    if (!this.#meter) {
      this.#meter = new AudioContext();
      for (const event of ["keydown", "pointerdown"]) addEventListener(event, () => this.#meter.resume().catch(() => {}));
    }
    if (this.#meter.state !== "running") this.#meter.resume().catch(() => {});
    return this.#meter;
  }

  /** Microphones and loudspeakers: `{id, name}` each, and which is in use. */
  async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const of = (kind) => all.filter((one) => one.kind === kind && one.deviceId).map((one) => ({ id: one.deviceId, name: one.label }));
    return {
      microphones: of("audioinput"),
      speakers: this.#audio.setSinkId ? of("audiooutput") : [],
      microphone: this.#stream?.getAudioTracks()[0]?.getSettings().deviceId ?? "",
      speaker: this.#audio.sinkId ?? "",
    };
  }

  async choose(kind, id) {
    localStorage.setItem(kind, id);
    if (kind === "microphone") await this.listen();
    else await this.#audio.setSinkId?.(id).catch(() => {});
  }

  // Line --------------------------------------------------------------------------

  /** Register; again and again until it works or another page has the line. `take` takes it from there. */
  async connect(take = false) {
    this.#wanted = true;
    clearTimeout(this.#retry);
    this.#drop();
    this.line = "connecting";
    this.#tell();
    let account;
    try {
      account = await ask("POST", this.#account);
    } catch (refusal) {
      this.line = "refused";
      this.refusal = refusal;
      this.#tell();
      if (refusal.status === 0 || refusal.status >= 500) this.#again();
      return;
    }
    if (!this.#wanted) return;
    const speaker = localStorage.getItem("speaker");
    if (speaker) this.#audio.setSinkId?.(speaker).catch(() => {});
    this.#register(account, take);
  }

  /** Leave the line to another page, or to a desk phone. */
  disconnect(line = "off") {
    this.#wanted = false;
    clearTimeout(this.#retry);
    this.#drop();
    this.line = line;
    this.#tell();
  }

  /** The page goes away. */
  leave() {
    if (this.#session?.isEnded() === false) this.#session.terminate();
  }

  #drop() {
    const agent = this.#agent;
    this.#agent = null;
    agent?.stop();
  }

  #again() {
    clearTimeout(this.#retry);
    if (this.#wanted) this.#retry = setTimeout(() => this.connect(), 1500 + Math.random() * 1500);
  }

  #register({ account, secret }, take) {
    const query = `page=${this.#page}${take ? "&take=true" : ""}`;
    const socket = new JsSIP.WebSocketInterface(`${location.origin.replace(/^http/, "ws")}/sip?${query}`);
    const agent = new JsSIP.UA({
      sockets: [socket],
      uri: `sip:${account}@dialer`,
      authorization_user: account,
      password: secret,
      register_expires: 600,
      session_timers: false,
      connection_recovery_min_interval: 30, // we recover ourselves: the secret may have been rotated
      user_agent: "dialer page",
    });
    this.#agent = agent;
    const mine = (handle) => (event) => this.#agent === agent && handle(event);
    agent.on("registered", mine(() => this.#is("registered")));
    agent.on("registrationFailed", mine(() => this.#is("lost", true)));
    agent.on("unregistered", mine(() => this.#is("lost", true)));
    agent.on("disconnected", mine(({ code }) => {
      if (code === TAKEN_OVER) return this.disconnect("elsewhere");
      this.#is("lost", true);
    }));
    agent.on("newRTCSession", mine(({ originator, session, request }) => originator === "remote" && this.#called(session, request)));
    agent.start();
  }

  #is(line, again = false) {
    this.line = line;
    if (again) {
      this.#drop();
      this.#again();
    }
    this.#tell();
  }

  // The call ------------------------------------------------------------------------

  /** Answer the call that is ours; the page may learn of the shift a moment after the phone rings. */
  async #called(session, request) {
    const leg = request.getHeader("X-Dialer-Attempt");
    this.#coming = true;
    for (let tries = 0; leg !== this.#leg() && tries < 30; tries += 1) await new Promise((go) => setTimeout(go, 100));
    this.#coming = false;
    if (session.isEnded()) return;
    if (leg !== this.#leg() || !this.#stream) return session.terminate({ status_code: leg ? 480 : 403 });
    this.#session?.isEnded() === false && this.#session.terminate();
    this.#session = session;
    this.#before = null;
    let ready = 0;
    session.on("icecandidate", ({ ready: done }) => {
      clearTimeout(ready);
      ready = setTimeout(done, 150); // no servers are asked: the machine's own addresses are all there is
    });
    session.on("peerconnection", ({ peerconnection }) => this.#hear(peerconnection));
    session.on("accepted", () => this.#began(session));
    for (const end of ["ended", "failed"]) session.on(end, () => this.#ended(session));
    session.answer({ mediaStream: this.#stream, pcConfig: { iceServers: [], rtcpMuxPolicy: "require" } });
    if (session.connection) this.#hear(session.connection);
  }

  #hear(connection) {
    connection.addEventListener("track", ({ track, streams }) => {
      this.#audio.srcObject = streams[0] ?? new MediaStream([track]);
      this.#audio.play().catch(() => {});
    });
  }

  #began(session) {
    this.held = false;
    const look = async () => {
      if (this.#session !== session || session.isEnded()) return;
      await this.#weigh(session).catch(() => {});
      setTimeout(look, STATS_EVERY_MS);
    };
    look();
    this.#tell();
  }

  #ended(session) {
    if (this.#session !== session) return;
    this.#session = null;
    this.quality = null;
    this.held = false;
    this.#tell();
  }

  mute(muted) {
    this.muted = muted;
    this.#stream?.getAudioTracks().forEach((track) => (track.enabled = !muted));
    this.#tell();
  }

  /** Music for the callee, silence for the operator; resolves to whether it was done. */
  hold(held) {
    const session = this.#session;
    if (!session?.isEstablished()) return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = () => {
        this.held = held;
        this.#audio.muted = held;
        this.#tell();
        resolve(true);
      };
      const began = held ? session.hold({}, done) : session.unhold({}, done);
      if (!began) resolve(false);
    });
  }

  /** A conversation ended: the next callee is not to find a muted or held operator. */
  fresh() {
    if (this.muted) this.mute(false);
    if (this.held) this.hold(false);
  }

  key(tone) {
    this.#session?.sendDTMF(tone, { transportType: "RFC2833", duration: 120, interToneGap: 80 });
  }

  /** A short sound in the headset: `connect` is two tones, any other is one; `ring` is the far end's bell, for a second. */
  sound(name, volume = 0.25) {
    const context = this.#wake();
    const tones = name === "connect" ? [660, 880] : [name === "ring" ? 425 : 440];
    const long = name === "ring" ? 1 : 0.11;
    tones.forEach((hertz, place) => {
      const [tone, gain] = [context.createOscillator(), context.createGain()];
      const at = context.currentTime + place * 0.13;
      tone.frequency.value = hertz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(volume, at + 0.01);
      gain.gain.setValueAtTime(volume, at + long - 0.02);
      gain.gain.linearRampToValueAtTime(0, at + long);
      tone.connect(gain).connect(context.destination);
      tone.start(at);
      tone.stop(at + long + 0.01);
    });
  }

  // Quality --------------------------------------------------------------------------

  async #weigh(session) {
    const now = { at: performance.now() };
    for (const entry of (await session.connection.getStats()).values()) {
      if (entry.type === "inbound-rtp" && entry.kind === "audio") Object.assign(now, { got: entry.packetsReceived, lost: entry.packetsLost, jitter: entry.jitter, heard: entry.totalAudioEnergy, seconds: entry.totalSamplesDuration, codecId: entry.codecId });
      if (entry.type === "remote-inbound-rtp" && entry.kind === "audio") Object.assign(now, { away: entry.fractionLost ?? 0, roundTrip: entry.roundTripTime ?? 0 });
      if (entry.type === "media-source" && entry.kind === "audio") now.spoken = entry.totalAudioEnergy;
      if (entry.type === "codec") (now.codecs ??= {})[entry.id] = entry.mimeType.replace("audio/", "");
    }
    const before = this.#before;
    this.#before = now;
    if (!before) return;
    const span = (now.at - before.at) / 1000;
    const since = (name) => Math.max(0, (now[name] ?? 0) - (before[name] ?? 0));
    const arrived = since("got") + since("lost");
    const spoken = Math.sqrt(since("spoken") / span);
    this.#silentS = spoken < SILENT_LEVEL && !this.muted ? this.#silentS + span : 0;
    this.quality = {
      codec: now.codecs?.[now.codecId] ?? "",
      lossIn: arrived ? since("lost") / arrived : 0,
      lossOut: now.away ?? 0,
      jitter: now.jitter ?? 0,
      roundTrip: now.roundTrip ?? 0,
      heard: Math.sqrt(since("heard") / span),
      spoken,
      ...this.#verdict(arrived ? since("lost") / arrived : 0, now),
    };
    this.#tell();
  }

  #verdict(lossIn, { away = 0, jitter = 0, roundTrip = 0 }) {
    if (this.#silentS > SILENT_S) return { grade: "bad", word: "silent" };
    if (lossIn > LOSS_BAD || jitter > JITTER_BAD_S) return { grade: "bad", word: "you_hear_badly" };
    if (away > LOSS_BAD) return { grade: "bad", word: "they_hear_badly" };
    if (roundTrip > ROUND_TRIP_BAD_S) return { grade: "fair", word: "late" };
    if (Math.max(lossIn, away) > LOSS_FAIR) return { grade: "fair", word: "gaps" };
    return { grade: "good", word: "good" };
  }
}
