import { version } from "@pulumi/kubernetes/package.json";
import { serve } from "../protocol/server";
import { KubernetesProvider } from "./provider";

serve((log) => new KubernetesProvider(log), version, process.argv.slice(2));
