import { onScopeDispose, shallowRef, watch, type Ref } from 'vue';
import { noteServerTime } from './clock';
import type { Camera } from '@/api/types';

export interface LatestPicture {
  url: string;
  /** When the camera took it (ms), as the server says with the picture itself: a tile never guesses. */
  takenAt: number;
}

// Eight tiles at this pace are under two small pictures a second.
const PACE_MS = 5_000;

/** The camera's latest picture with its own time; asked for again when the camera was looked at, at most at the pace. */
export function useLatestPicture(camera: () => Camera | null): Readonly<Ref<LatestPicture | null>> {
  const picture = shallowRef<LatestPicture | null>(null);
  let askedAt = 0;
  let askedFor = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  let gone = false;

  const show = (next: LatestPicture | null) => {
    if (picture.value) URL.revokeObjectURL(picture.value.url);
    picture.value = next;
  };

  const ask = async () => {
    const id = camera()?.camera_id;
    if (!id || gone) return;
    askedAt = Date.now();
    askedFor = id;
    const answer = await fetch(`/api/cameras/${encodeURIComponent(id)}/latest.jpg`).catch(() => null);
    if (!answer?.ok || gone || camera()?.camera_id !== id) return;
    noteServerTime(answer.headers.get('Date'));
    const takenAt = Date.parse(answer.headers.get('Last-Modified') ?? '');
    const body = await answer.blob();
    if (gone || camera()?.camera_id !== id) return;
    show({ url: URL.createObjectURL(body), takenAt: Number.isNaN(takenAt) ? Date.now() : takenAt });
  };

  watch(
    () => `${camera()?.camera_id} ${camera()?.last_look_at}`,
    () => {
      const other = camera()?.camera_id !== askedFor;
      if (other) show(null);
      clearTimeout(timer);
      timer = setTimeout(() => void ask(), other ? 0 : Math.max(0, askedAt + PACE_MS - Date.now()));
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    gone = true;
    clearTimeout(timer);
    show(null);
  });
  return picture;
}
