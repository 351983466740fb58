import { StateTable } from "../parts/StateTable";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";

/** The state of all cameras, for everyone. */
export function StatePage({ cameras }: { cameras: CameraView[] }) {
  const { t } = useTexts();
  return (
    <div class="text wide">
      <h1 id="state-heading">{t.table.heading}</h1>
      <p class="quiet-text">{t.table.intro}</p>
      {cameras.length === 0 ? <p>{t.wall.none}</p> : <StateTable cameras={cameras} labelledBy="state-heading" />}
    </div>
  );
}
