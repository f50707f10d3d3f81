import { join } from "node:path";
import { type AuditorName, checkovReading, type Judged, kubeScoreReading, type Reading, trivyReading } from "./findings";

/** An auditor: its version, where it comes from and how it is asked. */
export interface Auditor {
  name: AuditorName;
  version: string;
  /** Call that tells whether a program of this name on PATH is this version: its arguments, and what the answer of this version matches. */
  onPath: { args: readonly string[]; answer: RegExp };
  /** A Go package with its module's path, and what its build needs of the environment; or a package of PyPI and its module. */
  source: { go: string; environment?: Readonly<Record<string, string>> } | { pip: string; module: string };
  /** Arguments that have it judge the files of its working directory and answer in JSON. */
  args: (files: readonly string[], cache: string) => string[];
  read: (answer: unknown, judged: Judged) => Reading;
}

/** All auditors. Their versions are pinned, so that a finding is new because the manifests changed. */
export const AUDITORS: readonly Auditor[] = [
  {
    name: "checkov",
    version: "3.3.30",
    onPath: { args: ["--version"], answer: /^3\.3\.30$/m },
    source: { pip: "checkov", module: "checkov.main" },
    args: () => ["--quiet", "--compact", "--framework", "kubernetes", "--skip-download", "-o", "json", "-d", "."],
    read: checkovReading,
  },
  {
    name: "kube-score",
    version: "1.20.0",
    onPath: { args: ["version"], answer: /version: 1\.20\.0,/ },
    source: { go: "github.com/zegl/kube-score/cmd/kube-score" },
    args: (files) => ["score", "--output-format", "json", ...files],
    read: kubeScoreReading,
  },
  {
    name: "trivy",
    version: "0.74.0",
    onPath: { args: ["--version"], answer: /^Version: 0\.74\.0$/m },
    source: { go: "github.com/aquasecurity/trivy/cmd/trivy", environment: { GOEXPERIMENT: "jsonv2" } },
    args: (_files, cache) => [
      "config",
      "--quiet",
      "--skip-version-check",
      "--skip-check-update",
      ...["--cache-dir", join(cache, "trivy")],
      ...["--format", "json"],
      ".",
    ],
    read: trivyReading,
  },
];

/** Those that are asked by default: trivy takes a quarter of an hour to build. */
export const DEFAULT_AUDITORS: readonly AuditorName[] = ["checkov", "kube-score"];
