import { Listr, PRESET_TIMER } from "listr2";
import { StepFailed, tail } from "./command";

/** One step of a command: does nothing if what it makes is there already. */
export interface Step {
  readonly title: string;
  /** @param report shows a line of progress */
  run(report: Report): Promise<void>;
}

/** How often a long step may add a line where lines can't be replaced, in milliseconds. */
const QUIET = 10_000;

/** Shows a line of progress; `urgent` for one that must not be lost among others. */
export type Report = (text: string, urgent?: "urgent") => void;

/** A report that holds lines back, and its end. */
export interface ThrottledReport {
  report: Report;
  /** Forgets a line that is held back. */
  stop: () => void;
}

/**
 * A `report` that passes a line on at once, then at most one each `interval`: of those that come meanwhile the last one, when the interval
 * is over. What is urgent is passed on at once.
 */
export function throttled(report: (text: string) => void, interval: number, now: () => number = Date.now): ThrottledReport {
  let last = Number.NEGATIVE_INFINITY;
  let said = "";
  let held: NodeJS.Timeout | undefined;
  const pass = (text: string) => {
    last = now();
    said = text;
    report(text);
  };
  const stop = () => clearTimeout(held);
  return {
    report: (text, urgent) => {
      if (urgent === "urgent") {
        if (text !== said) report(text);
        return;
      }
      stop();
      if (text === said) return;
      const left = last + interval - now();
      if (left <= 0) pass(text);
      else held = setTimeout(() => pass(text), left).unref();
    },
    stop,
  };
}

/**
 * Runs steps one after the other, a line each with its progress and its time. Without a terminal, plain lines.
 *
 * @throws what a step throws, after the lines of the log that it names
 */
export async function runSteps(steps: readonly Step[], terminal: boolean = process.stdout.isTTY === true): Promise<void> {
  const list = new Listr(
    steps.map((step, index) => ({
      title: `[${index + 1}/${steps.length}] ${step.title}`,
      task: async (_: unknown, task: { output: string }): Promise<void> => {
        const report = (text: string): void => {
          task.output = text;
        };
        const { report: seldom, stop } = throttled(report, QUIET);
        await step.run(terminal ? report : seldom).finally(stop);
      },
    })),
    {
      renderer: terminal ? "default" : "simple",
      rendererOptions: { timer: PRESET_TIMER, showErrorMessage: false, collapseErrors: false },
      fallbackRendererOptions: { timer: PRESET_TIMER },
      // Only the renderer listens to signals otherwise, and a step's programs would be left running.
      registerSignalListeners: false,
    },
  );
  await list.run();
}

/** An error as a user is told of it: one message, and the end of the log that explains it. */
export function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof StepFailed) || error.log === undefined) return message;
  const end = error.lines === 0 ? "" : tail(error.log, error.lines);
  return `${message}${end === "" ? "" : `\n\n${end}\n`}\nThe whole log: ${error.log}`;
}
