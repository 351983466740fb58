import { StateTable } from "../parts/StateTable";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";

/** For those whose role has no pictures: why there are none, and how the cameras are. */
export function OfficerPage({ cameras }: { cameras: CameraView[] }) {
  const { t } = useTexts();
  return (
    <div class="text wide">
      <h1 id="officer-heading">{t.officer.heading}</h1>
      <p>{t.officer.noVideo}</p>
      {cameras.length === 0 ? <p>{t.wall.none}</p> : <StateTable cameras={cameras} labelledBy="officer-heading" />}
    </div>
  );
}
