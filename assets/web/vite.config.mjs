import { defineConfig } from "vite";

// Which gateway `npm run dev` talks to.
const gateway = process.env.GREYPLANE_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  // Preact's JSX through esbuild alone: no plugin, no Babel.
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    // Everything comes from files of ours: the gateway's content security
    // policy refuses what is written into the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: "127.0.0.1",
    proxy: {
      // The gateway's certificate is often its own while one develops.
      "/api": { target: gateway, secure: false },
    },
  },
});
