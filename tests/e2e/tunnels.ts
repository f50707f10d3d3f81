import type { Server } from "node:net";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { HOST_ADDRESS } from "../../sandbox/topology";

/** Connections that lead on to somebody else: what either side says reaches the other, and they end together. */
export class Tunnels {
  private readonly ends = new Set<Duplex>();

  /**
   * Leads a connection on.
   *
   * @param client Whoever opened it.
   * @param to Where it leads, as host:port.
   * @param head What the client has already said to whoever is behind it. Default: nothing.
   * @param connected Called when that one is reached, before anything is said.
   */
  lead(client: Duplex, to: string, { head, connected }: { head?: Buffer; connected?: () => void } = {}): void {
    const { hostname, port } = new URL(`tcp://${to}`);
    const upstream = connect({ host: hostname, port: Number(port) });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.ends.add(one);
      one.on("error", () => other.destroy());
      one.once("close", () => {
        this.ends.delete(one);
        other.destroy();
      });
    }
    upstream.once("connect", () => {
      connected?.();
      if (head !== undefined) upstream.write(head);
      client.pipe(upstream);
      upstream.pipe(client);
    });
  }

  /** Ends all of them. */
  close(): void {
    for (const end of this.ends) end.destroy();
  }
}

/** Lets a server listen at an address of this machine that pods reach. */
export function listen(server: Server, port: number, host = HOST_ADDRESS): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve());
  });
}
