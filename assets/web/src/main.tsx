import { render } from "preact";
import { App } from "./app";
import { Guard } from "./parts/Guard";
import "./style/base.css";
import "./style/controls.css";
import "./style/wall.css";
import "./style/camera.css";
import "./style/pages.css";
import "./style/masks.css";
import "./style/drawing.css";
import "./style/zones.css";
import "./style/dialogs.css";
import "./style/versions.css";
import "./style/audit.css";
import "./style/still.css";
import "./style/steering.css";
import "./style/presets.css";
import "./style/vouch.css";
import "./style/motion.css";
import { LanguageProvider } from "./text/language";

const root = document.getElementById("app");
if (root) {
  render(
    <LanguageProvider>
      <Guard>
        <App />
      </Guard>
    </LanguageProvider>,
    root,
  );
}
