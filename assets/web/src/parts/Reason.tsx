// The gateway's reason for a state. It speaks English.

import { shortReason } from "../text/format";

export function Reason({ reason }: { reason: string }) {
  return (
    <span class="reason" lang="en">
      {shortReason(reason)}
    </span>
  );
}
