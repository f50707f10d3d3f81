import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { environment } from "../../sandbox/engine";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { REPOSITORY } from "../../sandbox/paths";
import { CONTEXT } from "../../sandbox/topology";

const ROLE = "deploy/ci/deploy-role.yaml";
const BINDING = "deploy/ci/deploy-binding.yaml";

const kubectl = async (...args: string[]): Promise<string> =>
  (await execa("kubectl", args, { cwd: REPOSITORY, env: environment() })).stdout;

/**
 * A kubeconfig at one path, as a CI has it: first the administrator's, who makes an environment, then that of the account that deploys,
 * with the rights of deploy/ci and no others.
 */
export class DeployAccount {
  private readonly directory = mkdtempSync(join(tmpdir(), "thanos-stack-deploy-"));
  readonly kubeconfig = join(this.directory, "kubeconfig");
  /** The configuration of a stack that is deployed by it. */
  readonly config: ConfigOverlay = { "thanos-stack:cluster": { kubeconfig: this.kubeconfig } };

  async becomesAdministrator(): Promise<void> {
    this.write(await kubectl("config", "view", "--raw", "--minify", "-o", "json", "--context", CONTEXT));
  }

  async mayDeploy(...namespaces: string[]): Promise<void> {
    await kubectl("apply", "-f", ROLE);
    for (const namespace of namespaces) await kubectl("apply", "-n", namespace, "-f", BINDING);
    const token = await kubectl("-n", "thanos-stack-ci", "create", "token", "deploy", "--duration", "4h");
    const config = JSON.parse(await kubectl("config", "view", "--raw", "--minify", "-o", "json", "--context", CONTEXT)) as {
      users: { name: string }[];
    };
    this.write(JSON.stringify({ ...config, users: config.users.map(({ name }) => ({ name, user: { token } })) }));
  }

  /** Takes the account away; bindings go with their namespaces. */
  async remove(): Promise<void> {
    await kubectl("delete", "--ignore-not-found", "-f", ROLE);
    rmSync(this.directory, { recursive: true, force: true });
  }

  private write(kubeconfig: string): void {
    writeFileSync(this.kubeconfig, kubeconfig, { mode: 0o600 });
  }
}
