import { connect, createServer, type Server, type Socket } from "node:net";
import { HOST_ADDRESS } from "../../sandbox/topology";

/** A way of its own to a server of this machine: closed, it refuses connections as a server that is gone does, and nobody else loses that. */
export class Passage {
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();

  /**
   * @param port Where it begins, on the host's address.
   * @param to Where it leads, as host:port.
   */
  constructor(
    private readonly port: number,
    private readonly to: string,
  ) {}

  /** Opens it; nothing where it is open. */
  async open(): Promise<void> {
    if (this.server !== undefined) return;
    const { hostname, port } = new URL(`tcp://${this.to}`);
    const server = createServer((client) => {
      const upstream = connect({ host: hostname, port: Number(port) });
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.sockets.add(one);
        one.on("error", () => other.destroy());
        one.once("close", () => {
          this.sockets.delete(one);
          other.destroy();
        });
      }
      client.pipe(upstream);
      upstream.pipe(client);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, HOST_ADDRESS, () => resolve());
    });
    this.server = server;
  }

  /** Closes it, and every connection through it. */
  close(): void {
    this.server?.close();
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
  }
}
