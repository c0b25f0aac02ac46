declare function serve(store: unknown): Promise<void>
export = serve
