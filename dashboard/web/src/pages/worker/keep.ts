import type { Queue, Unsent } from './queue';

// IndexedDB rather than localStorage: it holds photos, and survives the page being killed in a pocket.
const NAME = 'gridwarden-worker';
const STORE = 'unsent';

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'key' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('no IndexedDB'));
  });
}

function done(request: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    request.oncomplete = () => resolve();
    request.onerror = () => reject(request.error ?? new Error('not kept'));
    request.onabort = () => reject(request.error ?? new Error('not kept'));
  });
}

/** The steps of this person that an earlier visit could not send, oldest first. */
export async function keptQueue(personId: string): Promise<Queue> {
  const database = await open();
  const all = await new Promise<Unsent[]>((resolve, reject) => {
    const request = database.transaction(STORE).objectStore(STORE).getAll();
    request.onsuccess = () => resolve(request.result as Unsent[]);
    request.onerror = () => reject(request.error ?? new Error('not readable'));
  });
  database.close();
  return all.filter((item) => item.personId === personId).sort((a, b) => a.at.localeCompare(b.at));
}

export async function keep(item: Unsent): Promise<void> {
  const database = await open();
  const transaction = database.transaction(STORE, 'readwrite');
  transaction.objectStore(STORE).put(item);
  await done(transaction);
  database.close();
}

export async function drop(key: string): Promise<void> {
  const database = await open();
  const transaction = database.transaction(STORE, 'readwrite');
  transaction.objectStore(STORE).delete(key);
  await done(transaction);
  database.close();
}
