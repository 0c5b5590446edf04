/** What the browser remembers between visits; in private mode and sandboxed frames, between reloads of nothing. */

export interface Memory {
  get(key: string): string | null
  set(key: string, value: string): void
  remove(key: string): void
  /** The keys that begin with `prefix`, in no particular order. */
  keys(prefix: string): string[]
}

/** Reading `localStorage` throws where storage is blocked, and writing throws where it is full. */
function findLocalStorage(): Storage | null {
  try {
    localStorage.setItem('karibu.probe', '1')
    localStorage.removeItem('karibu.probe')
    return localStorage
  } catch {
    return null
  }
}

/** Opens the keys behind `scope`, so that two sites on one origin do not share a visitor. */
export function openMemory(scope: string, storage = findLocalStorage()): Memory {
  const fallback = new Map<string, string>()
  const allKeys = () => (storage ? Object.keys(storage) : [...fallback.keys()])

  return {
    get: (key) => (storage ? storage.getItem(scope + key) : (fallback.get(scope + key) ?? null)),
    set(key, value) {
      try {
        if (storage) storage.setItem(scope + key, value)
        else fallback.set(scope + key, value)
      } catch {
        // Full: what is being written lives on in this page alone.
      }
    },
    remove(key) {
      storage?.removeItem(scope + key)
      fallback.delete(scope + key)
    },
    keys: (prefix) =>
      allKeys()
        .filter((key) => key.startsWith(scope + prefix))
        .map((key) => key.slice(scope.length)),
  }
}
