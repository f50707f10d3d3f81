/**
 * Run inside a network namespace, as `node connections.cjs connect|listen`, with a JSON list on its standard input.
 *
 * connect: `[[protocol, address, port], …]`, and as argument how many milliseconds each may take; prints a JSON list of whether each was
 * answered.
 * listen: the same; prints `listening` and answers until its standard input ends.
 */
const dgram = require("node:dgram");
const net = require("node:net");
const [, , mode, timeout] = process.argv;

/** A query for the root's name servers: whatever answers it is a name server. */
const QUERY = Buffer.from("1234010000010000000000000000020001", "hex");

const byTcp = (host, port) =>
  new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (answered) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
    setTimeout(() => end(false), Number(timeout)).unref();
  });

const byUdp = (host, port) =>
  new Promise((resolve) => {
    const socket = dgram.createSocket("udp4");
    const timers = [];
    const end = (answered) => {
      for (const timer of timers) clearTimeout(timer);
      socket.close();
      resolve(answered);
    };
    socket.once("message", () => end(true)).once("error", () => end(false));
    // Connected, so that a refusal is an error here and not nothing.
    socket.connect(port, host, () => {
      socket.send(QUERY);
      timers.push(setTimeout(() => socket.send(QUERY), Number(timeout) / 2));
    });
    timers.push(setTimeout(() => end(false), Number(timeout)));
  });

const listens = ([protocol, host, port]) =>
  new Promise((resolve, reject) => {
    if (protocol === "udp") {
      const socket = dgram.createSocket("udp4");
      socket.on("message", (message, from) => socket.send(message, from.port, from.address)).once("error", reject);
      socket.bind(port, host, resolve);
    } else {
      const server = net.createServer((socket) => socket.on("error", () => {}).end());
      server.once("error", reject).listen(port, host, resolve);
    }
  });

async function main(text) {
  const list = JSON.parse(text);
  if (mode === "listen") {
    await Promise.all(list.map(listens));
    process.stdout.write("listening\n");
    return;
  }
  const answers = await Promise.all(list.map(([protocol, host, port]) => (protocol === "udp" ? byUdp : byTcp)(host, port)));
  process.stdout.write(JSON.stringify(answers), () => process.exit(0));
}

let text = "";
let started = false;
process.stdin.setEncoding("utf8");
process.stdin.on("data", (part) => {
  text += part;
  if (started || !text.endsWith("\n")) return;
  started = true;
  main(text).catch((error) => {
    process.stderr.write(`${error}\n`);
    process.exit(1);
  });
});
process.stdin.on("end", () => {
  if (mode === "listen") process.exit(0);
});
