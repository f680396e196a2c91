// `npm run build`: compiles the sources to dist/, whether they changed or not.
import { build } from "./prepare.mjs";

build({ force: true });
