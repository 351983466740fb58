import { StateTable } from "../parts/StateTable";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { PresetRows } from "../vouch/PresetList";

interface Props {
  cameras: CameraView[];
  expired: () => void;
}

/** For those whose role has no pictures: why there are none, how the cameras are, and who vouched for their presets. */
export function OfficerPage({ cameras, expired }: Props) {
  const { t } = useTexts();
  const vouched = cameras.filter(({ status }) => (status?.presets.length ?? 0) > 0);
  return (
    <div class="text wide">
      <h1 id="officer-heading">{t.officer.heading}</h1>
      <p>{t.officer.noVideo}</p>
      {cameras.length === 0 ? <p>{t.wall.none}</p> : <StateTable cameras={cameras} labelledBy="officer-heading" />}
      {vouched.map((camera) => (
        <section key={camera.id} aria-labelledby={`vouched-${camera.id}`}>
          <h2 id={`vouched-${camera.id}`}>{t.vouch.of(camera.id)}</h2>
          <p>{t.vouch.ofText}</p>
          <PresetRows camera={camera} masks={false} expired={expired} />
        </section>
      ))}
    </div>
  );
}
