// A proof pack of a camera, made by the gateway and given to the browser as a file.

import { useState } from "preact/hooks";
import { makeProof, type ProofQuestion } from "../api/audit";
import { failureOf, type Failure } from "../api/client";
import { number } from "../text/format";
import { useTexts } from "../text/language";
import { thisMonth } from "./filters";

type Course = { kind: "idle" } | { kind: "busy" } | { kind: "done"; file: string } | { kind: "failed"; failure: Failure };

export function ProofForm({ cameras, expired }: { cameras: string[]; expired: () => void }) {
  const { t, language } = useTexts();
  const words = t.audit.proof;
  const [asked, setAsked] = useState<ProofQuestion>(() => ({
    camera: cameras[0] ?? "",
    ...thisMonth(new Date()),
    lang: language,
  }));
  const [course, setCourse] = useState<Course>({ kind: "idle" });
  const field = (name: keyof ProofQuestion) => ({
    id: `proof-${name}`,
    value: asked[name],
    required: true,
    onInput: (event: { currentTarget: { value: string } }) => {
      const value = event.currentTarget.value;
      setAsked((old) => ({ ...old, [name]: value }));
    },
  });
  const submit = async (event: Event) => {
    event.preventDefault();
    if (course.kind === "busy") return;
    setCourse({ kind: "busy" });
    try {
      const file = `greyplane-${asked.camera}-${asked.from}-${asked.to}-${asked.lang}.html`;
      give(await makeProof(asked), file);
      setCourse({ kind: "done", file });
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === "logged-out") expired();
      else setCourse({ kind: "failed", failure });
    }
  };
  const why = (failure: Failure): string => {
    if (failure.kind === "too-many-tries") return words.busyElsewhere(number(failure.retryAfterS, language));
    if (failure.kind === "unreachable") return words.unreachable;
    return failure.kind === "refused" && failure.status === 400 ? words.period : words.failed;
  };
  return (
    <section class="audit-proof" aria-labelledby="proof-heading">
      <h2 id="proof-heading">{words.heading}</h2>
      <p class="quiet-text">{words.intro}</p>
      <form class="audit-search" onSubmit={submit}>
        <p>
          <label for="proof-camera">{words.camera}</label>
          <select {...field("camera")}>
            {cameras.map((camera) => (
              <option key={camera} value={camera}>
                {camera}
              </option>
            ))}
          </select>
        </p>
        <p>
          <label for="proof-from">{words.from}</label>
          <input type="date" {...field("from")} />
        </p>
        <p>
          <label for="proof-to">{words.to}</label>
          <input type="date" {...field("to")} />
        </p>
        <p>
          <label for="proof-lang">{words.language}</label>
          <select {...field("lang")}>
            <option value="nl" lang="nl">
              Nederlands
            </option>
            <option value="en" lang="en">
              English
            </option>
          </select>
        </p>
        <p class="audit-buttons">
          <button type="submit" aria-disabled={course.kind === "busy"}>
            {course.kind === "busy" ? words.busy : words.submit}
          </button>
        </p>
      </form>
      <p role="status" class={course.kind === "done" || course.kind === "busy" ? "audit-told" : "unseen"}>
        {course.kind === "busy" && words.wait}
        {course.kind === "done" && words.done(course.file)}
      </p>
      <div role="alert">{course.kind === "failed" && <p class="problem">{why(course.failure)}</p>}</div>
    </section>
  );
}

/** Hands a file to the browser's downloads. */
function give(pack: Blob, name: string): void {
  const address = URL.createObjectURL(pack);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download has its own hold on the file once it has begun.
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
