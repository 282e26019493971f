/** `npm run messages`: collect the texts of the sources into the catalogues. */

import { runnerImport } from "vite";

const { module } = await runnerImport("./build/messages.ts", { configFile: false });
module.updateCatalogues(process.cwd());
