// The websocket: it logs in by a message, and comes back whenever it is lost.

const SOONEST_MS = 300;
const LATEST_MS = 5_000;
const PING_MS = 10_000;
const PONG_MS = 5_000;

export class Socket {
  // `enter` gives a token, `onEvent(name, data)` is what the server tells, `onOpen` is
  // called with each new connection (what was told before it may be missing), `onLost`
  // when it is gone.
  constructor({ enter, onEvent, onOpen, onLost }) {
    Object.assign(this, { enter, onEvent, onOpen, onLost });
    this.delay = SOONEST_MS;
    for (const name of ["online", "focus"]) {
      window.addEventListener(name, () => this.hurry());
    }
  }

  async open() {
    clearTimeout(this.timer);
    this.timer = 0;
    try {
      this.token = await this.enter();
    } catch {
      this.comeBack();
      return;
    }
    const line = new WebSocket(`ws://${location.host}/api/v4/websocket`);
    this.line = line;
    this.expected = 0;
    this.asked = 0;
    line.onopen = () => this.send("authentication_challenge", { token: this.token });
    line.onmessage = (message) => line === this.line && this.hear(message.data);
    line.onclose = () => line === this.line && this.lose();
    this.watch(PONG_MS);
  }

  hurry() {
    if (this.timer) this.open();
  }

  send(action, data = {}) {
    this.asked += 1;
    this.line.send(JSON.stringify({ seq: this.asked, action, data }));
  }

  hear(text) {
    const told = JSON.parse(text);
    if (!("event" in told)) {
      this.watch();
      return;
    }
    const isMissing = told.seq !== this.expected;
    this.expected = told.seq + 1;
    if (told.event === "hello" || isMissing) {
      this.delay = SOONEST_MS;
      this.watch();
      this.onOpen();
    }
    this.onEvent(told.event, told.data);
  }

  // A line that is silent for so long, though it was asked, is dead.
  watch(patience = 0) {
    clearTimeout(this.ping);
    clearTimeout(this.pong);
    const giveUp = () => this.lose();
    if (patience) this.pong = setTimeout(giveUp, patience);
    else {
      this.ping = setTimeout(() => {
        this.pong = setTimeout(giveUp, PONG_MS);
        this.send("ping");
      }, PING_MS);
    }
  }

  lose() {
    clearTimeout(this.ping);
    clearTimeout(this.pong);
    const line = this.line;
    this.line = null;
    line?.close();
    this.onLost();
    this.comeBack();
  }

  comeBack() {
    this.onLost();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.delay * (0.75 + Math.random() / 2));
    this.delay = Math.min(LATEST_MS, this.delay * 2);
  }
}
