/** A kubeconfig, as text, whose context `dev` is a server and whose current context is another cluster. */
export function kubeconfigOf(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "elsewhere",
    clusters: [
      { name: "dev", cluster: { server, "insecure-skip-tls-verify": true } },
      { name: "elsewhere", cluster: { server: "http://127.0.0.1:1", "insecure-skip-tls-verify": true } },
    ],
    users: [{ name: "admin", user: { token: "secret-token" } }],
    contexts: [
      { name: "dev", context: { cluster: "dev", user: "admin" } },
      { name: "elsewhere", context: { cluster: "elsewhere", user: "admin" } },
    ],
  });
}
