import { useTexts } from "../text/language";
import { Dialog } from "./Dialog";

interface Props {
  kept: boolean;
  stay: () => void;
  leave: () => void;
}

/** Asked when one leaves with changes that are not saved. */
export function LeaveDialog({ kept, stay, leave }: Props) {
  const { t } = useTexts();
  const words = t.masks.leave;
  return (
    <Dialog heading={words.heading} close={stay}>
      <p>{kept ? words.text : words.lost}</p>
      <div class="row">
        <button type="button" class="primary" onClick={stay}>
          {words.stay}
        </button>
        <button type="button" onClick={leave}>
          {words.go}
        </button>
      </div>
    </Dialog>
  );
}
