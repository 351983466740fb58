import { WALL } from "../route";
import { useTexts } from "../text/language";

export function NotFoundPage() {
  const { t } = useTexts();
  return (
    <div class="text">
      <h1>{t.title.unknown}</h1>
      <p>{t.notFound.text}</p>
      <a href={WALL}>{t.notFound.link}</a>
    </div>
  );
}
