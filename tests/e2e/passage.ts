import { createServer, type Server } from "node:net";
import { listen, Tunnels } from "./tunnels";

/**
 * A way of its own to a server of this machine: closed, it refuses connections as a server that is gone does, and nobody else loses that.
 */
export class Passage {
  private server: Server | undefined;
  private readonly tunnels = new Tunnels();

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
    const server = createServer((client) => this.tunnels.lead(client, this.to));
    await listen(server, this.port);
    this.server = server;
  }

  /** Closes it, and every connection through it. */
  close(): void {
    this.server?.close();
    this.server = undefined;
    this.tunnels.close();
  }
}
