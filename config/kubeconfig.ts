import { homedir } from "node:os";
import { join } from "node:path";

/** The kubeconfig that the program uses: the configured one, the first of KUBECONFIG, or the home directory's. */
export function kubeconfigPath(configured: string | undefined): string {
  const first = configured ?? process.env.KUBECONFIG?.split(":").find((path) => path !== "") ?? join(homedir(), ".kube", "config");
  return first.startsWith("~/") ? join(homedir(), first.slice(2)) : first;
}
