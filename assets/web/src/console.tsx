// What somebody who is logged in sees: header, notices and the page of the address.

import { useEffect, useRef, useState } from "preact/hooks";
import { mayEditMasks, maySeeVideo, type Session } from "./api/model";
import { STALE_AFTER_S, useStatus } from "./api/useStatus";
import { useKeys } from "./keys";
import { AuditPage } from "./pages/AuditPage";
import { CameraPage } from "./pages/CameraPage";
import { MasksPage } from "./pages/MasksPage";
import { NotFoundPage } from "./pages/NotFoundPage";
import { OfficerPage } from "./pages/OfficerPage";
import { StatePage } from "./pages/StatePage";
import { StillsPage } from "./pages/StillsPage";
import { WallPage } from "./pages/WallPage";
import { Header } from "./parts/Header";
import { KeysHelp } from "./parts/KeysHelp";
import { Notice } from "./parts/Notice";
import { useOffered } from "./parts/useOffered";
import { useRoute, type Route } from "./route";
import { duration } from "./text/format";
import { useTexts } from "./text/language";
import { givesPicture, viewsOf, type CameraView } from "./view";

interface Props {
  session: Session;
  /** Logging out did not work. */
  stayed: boolean;
  expired: () => void;
  leave: () => void;
}

export function Console({ session, stayed, expired, leave }: Props) {
  const { t, language } = useTexts();
  const route = useRoute();
  const gateway = useStatus(expired);
  const [help, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  const video = maySeeVideo(session);
  const stills = useOffered(session);
  const cameras = viewsOf(session, gateway);
  const version = gateway.status?.version;
  const firstVersion = useRef(version);
  firstVersion.current ??= version;
  const silent = gateway.silentS >= STALE_AFTER_S;
  const renewed = version !== firstVersion.current;

  useTitle(route);
  useFocusOnNewPage(route, main);
  useKeys({ "?": () => setHelp((shown) => !shown) });

  return (
    <div class="console">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        {t.nav.skip}
      </button>
      <Header session={session} route={route} video={video} stills={stills} help={() => setHelp(true)} leave={leave} />
      {silent && <Notice>{t.gateway.silent(duration(gateway.silentS, language))}</Notice>}
      {stayed && <Notice>{t.gateway.logOutFailed}</Notice>}
      {renewed && (
        <Notice>
          {t.start.newVersion}{" "}
          <button type="button" onClick={() => window.location.reload()}>
            {t.start.reload}
          </button>
        </Notice>
      )}
      <p class="unseen" role="status">
        {stayed && t.gateway.logOutFailed} {renewed && t.start.newVersion}{" "}
        {silent && t.start.unreachable}
        {!silent && gateway.status && t.gateway.summary(cameras.filter(givesPicture).length, cameras.length)}
      </p>
      <main ref={main} tabIndex={-1}>
        <Page {...{ route, session, video, cameras, expired }} comebacks={gateway.comebacks} />
      </main>
      {help && <KeysHelp close={() => setHelp(false)} editor={route.page === "masks" && mayEditMasks(session)} />}
    </div>
  );
}

interface PageProps {
  route: Route;
  session: Session;
  video: boolean;
  cameras: CameraView[];
  comebacks: number;
  expired: () => void;
}

function Page({ route, session, video, cameras, comebacks, expired }: PageProps) {
  const masks = mayEditMasks(session);
  if (route.page === "unknown") return <NotFoundPage />;
  if (route.page === "audit") return <AuditPage {...{ session, expired }} />;
  if (route.page === "stills") return <StillsPage {...{ session, cameras, expired }} />;
  if (!video) return <OfficerPage {...{ cameras, expired }} />;
  if (route.page === "state") return <StatePage cameras={cameras} />;
  if (route.page === "wall") return <WallPage {...{ cameras, masks, comebacks, expired }} />;
  if (route.page === "masks") return <MasksPage id={route.id} preset={route.preset} {...{ session, cameras, comebacks, expired }} />;
  return <CameraPage id={route.id} {...{ cameras, masks, comebacks, expired }} />;
}

function useTitle(route: Route): void {
  const { t } = useTexts();
  const title =
    route.page === "camera" ? route.id : route.page === "masks" ? t.masks.heading(route.id) : t.title[route.page];
  useEffect(() => {
    document.title = `${title} · greyplane`;
  }, [title]);
}

/** Who comes to another page by key or by link reads on there, not in what is gone. */
function useFocusOnNewPage(route: Route, main: { current: HTMLElement | null }): void {
  const page = route.page;
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    // The wall puts the focus on the camera one comes from.
    else if (!main.current?.contains(document.activeElement)) {
      main.current?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  }, [page, main]);
}
