import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";

/** A machine of somebody else's that asks everybody who he is: a target to be scraped, and an Alertmanager. */
export class Guarded {
  /** Passwords that are good now, by user; a rotation has two of one user for a while. */
  readonly passwords: Record<string, string[]>;
  /** Names of the alerts that came. */
  readonly alerts = new Set<string>();
  private readonly used: Record<string, string[]> = {};
  private readonly server: Server;

  /** @param passwords The password of each user. */
  constructor(passwords: Readonly<Record<string, string>>) {
    this.passwords = Object.fromEntries(Object.entries(passwords).map(([user, password]) => [user, [password]]));
    this.server = createServer((request, answer) => {
      const login = loginOf(request);
      if (login === undefined || !this.passwords[login.user]?.includes(login.password)) {
        answer.writeHead(401, { "www-authenticate": "Basic" }).end();
        return;
      }
      const used = this.used[login.user] ?? [];
      this.used[login.user] = [...used, login.password];
      if (request.method === "GET") {
        answer.setHeader("content-type", "text/plain; version=0.0.4");
        answer.end("guarded_answers 1\n");
        return;
      }
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const alerts = JSON.parse(Buffer.concat(parts).toString()) as { labels: { alertname: string } }[];
        for (const { labels } of alerts) this.alerts.add(labels.alertname);
        answer.end();
      });
    });
  }

  async listen(port: number, host: string): Promise<void> {
    this.server.listen(port, host);
    await once(this.server, "listening");
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** How often a user came with a password and was let in. */
  uses(user: string, password: string): number {
    return (this.used[user] ?? []).filter((each) => each === password).length;
  }
}

function loginOf({ headers }: IncomingMessage): { user: string; password: string } | undefined {
  const [, encoded = ""] = /^Basic (.+)$/.exec(headers.authorization ?? "") ?? [];
  const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, "base64").toString()) ?? [];
  return user === undefined || password === undefined ? undefined : { user, password };
}
