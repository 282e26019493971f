/// <reference types="vite/client" />

declare module "*.po" {
  const catalogue: Record<string, string | string[]>;
  export default catalogue;
}

/** Version of the package, set by the build. */
declare const __VERSION__: string;
