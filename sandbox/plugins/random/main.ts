import { version } from "@pulumi/random/package.json";
import { serve } from "../protocol/server";
import { RandomProvider } from "./provider";

serve(() => new RandomProvider(), version, process.argv.slice(2));
