/**
 * Run inside a network namespace, as `node handshake.cjs`, with one JSON object on its standard input: `host`, `port`, `servername`, `ca`,
 * and `cert` and `key` where somebody shows who he is. Prints `true` where the server said something behind the handshake, which under TLS
 * 1.3 is the first sign that it has taken the certificate, and otherwise `false` with what was wrong.
 */
const { readFileSync } = require("node:fs");
const tls = require("node:tls");

/** Beginning of HTTP/2 with empty settings, which a server answers by its own; one of HTTP/1.1 answers 400. */
const GREETING = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.from("000000040000000000", "hex")]);

const options = JSON.parse(readFileSync(0, "utf8"));
const socket = tls.connect({ ...options, ALPNProtocols: ["h2"] }, () => socket.write(GREETING));
const end = (answered, why = "") => {
  console.log(`${answered} ${why}`);
  process.exit();
};
socket.once("data", () => end(true));
socket.once("error", ({ message }) => end(false, message));
socket.once("close", () => end(false, "closed"));
setTimeout(() => end(false, "no answer"), 5_000).unref();
