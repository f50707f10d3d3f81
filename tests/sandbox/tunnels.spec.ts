import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { listen, Tunnels } from "../e2e/tunnels";

const HOST = "127.0.0.1";
const addressOf = (server: Server): string => `${HOST}:${(server.address() as AddressInfo).port}`;

describe("tunnels of the tests", () => {
  const servers: Server[] = [];
  const serve = async (server: Server): Promise<Server> => {
    servers.push(server);
    await listen(server, 0, HOST);
    return server;
  };
  const dial = (server: Server) => connect((server.address() as AddressInfo).port, HOST);
  /** Says back what it hears, and ends when that ends. */
  const echo = () => serve(createServer((client) => client.on("error", () => undefined).pipe(client)));
  const through = (tunnels: Tunnels, to: string, options = {}) => serve(createServer((client) => tunnels.lead(client, to, options)));

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it("carry what either side says, and what was said before", async () => {
    const tunnels = new Tunnels();
    const client = dial(await through(tunnels, addressOf(await echo()), { head: Buffer.from("before ") }));
    client.setEncoding("utf8").write("and after");
    let heard = "";
    for await (const text of client) {
      heard += text;
      if (heard.length >= "before and after".length) break;
    }
    assert.equal(heard, "before and after");
  });

  it("end together: all of them when they are closed, and one where nobody listens", async () => {
    const tunnels = new Tunnels();
    const client = dial(await through(tunnels, addressOf(await echo())));
    client.write("x");
    await once(client, "data");
    tunnels.close();
    client.on("error", () => undefined);
    await once(client, "close");

    const gone = await echo();
    const to = addressOf(gone);
    gone.close();
    await once(gone, "close");
    const refused = dial(await through(tunnels, to));
    refused.on("error", () => undefined).resume();
    await once(refused, "close");
  });
});
