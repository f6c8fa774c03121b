import type { Plugin, Rollup } from 'vite';

/**
 * Writes worker-shell.json: every file the worker's page needs to start without a network.
 *
 * The service worker reads it after each visit with network; it is written at build time because only the
 * bundler knows the hashed names.
 */
export function workerShell(page: string): Plugin {
  return {
    name: 'worker-shell',
    apply: 'build',
    generateBundle(_options, bundle) {
      const files = filesOf(bundle, page);
      this.emitFile({ type: 'asset', fileName: 'worker-shell.json', source: JSON.stringify({ files }) });
    },
  };
}

function filesOf(bundle: Rollup.OutputBundle, page: string): string[] {
  const chunks = Object.values(bundle).filter((part) => part.type === 'chunk');
  const files = new Set<string>();
  const visit = (chunk: Rollup.OutputChunk | undefined) => {
    if (!chunk || files.has(`/${chunk.fileName}`)) return;
    files.add(`/${chunk.fileName}`);
    for (const css of chunk.viteMetadata?.importedCss ?? []) files.add(`/${css}`);
    // The page's own lazy parts (MQTT) belong to it; the entry's lazy parts are other people's pages.
    const next = chunk.isEntry ? chunk.imports : [...chunk.imports, ...chunk.dynamicImports];
    next.forEach((name) => visit(chunks.find((other) => other.fileName === name)));
  };
  visit(chunks.find((chunk) => chunk.isEntry));
  visit(chunks.find((chunk) => chunk.facadeModuleId?.endsWith(page)));
  return [...files].sort();
}
