// Whether there is a page of clear stills for this user.

import { useEffect, useState } from "preact/hooks";
import { mayPermitStills, type Session } from "../api/model";
import { readPermit } from "../api/still";

/** Asked once: what is offered changes only when the gateway starts anew. */
export function useOffered(session: Session): boolean {
  const [offered, setOffered] = useState(false);
  const camera = mayPermitStills(session) ? session.cameras[0] : undefined;
  useEffect(() => {
    if (camera === undefined) return;
    let gone = false;
    readPermit(camera).then(
      ({ permit }) => !gone && setOffered(permit.offered),
      // Then there is no link, and the page's address still works.
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [camera]);
  return offered;
}
