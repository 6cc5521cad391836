import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { AppView } from "./ui/AppView";
import "./ui/styles.css";

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no element with the id root.");
createRoot(root).render(
  <StrictMode>
    <AppView />
  </StrictMode>,
);

// The app stays on the device, to be opened with the network off. Kept only where the built app is served.
if (import.meta.env.PROD && "serviceWorker" in navigator) void navigator.serviceWorker.register("/worker.js");
