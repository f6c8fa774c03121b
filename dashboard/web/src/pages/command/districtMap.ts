import { Map as GlMap, Marker, NavigationControl, setWorkerUrl, type GeoJSONSource, type MapMouseEvent } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import type { Camera, Cell } from '@/api/types';
import { drawIcon, ICON_RATIO } from './mapIcons';
import { cameraFeatures, cellFeatures, extent, iconName, labelPlace, markFeatures, sightFeatures, type Mark, type Sign } from './mapShapes';

// A file of ours rather than a blob: the content policy allows workers from here only.
setWorkerUrl(workerUrl);

export interface MapEvents {
  incidents: (ids: string[]) => void;
  camera: (id: string) => void;
  cell: (id: string) => void;
}

const SOURCES = ['cells', 'sights', 'cameras', 'marks'] as const;
const NONE: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };

/** The district drawn from its own data: no tiles, no fonts, no request to anybody else. Throws without WebGL. */
export class DistrictMap {
  private readonly map: GlMap;
  private readonly labels: Marker[] = [];
  private readonly drawn = new Set<string>();
  private ready = false;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly container: HTMLElement,
    events: MapEvents,
    words: Record<string, string>,
  ) {
    this.map = new GlMap({
      container,
      style: { version: 8, sources: {}, layers: [{ id: 'ground', type: 'background', paint: { 'background-color': this.colour('--page') } }] },
      attributionControl: false,
      locale: words,
      dragRotate: false,
      pitchWithRotate: false,
      center: [0, 0],
      zoom: 1,
    });
    this.map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
    this.map.once('load', () => {
      this.addLayers();
      this.listen(events);
      this.ready = true;
      this.waiting.forEach((task) => task());
      this.waiting = [];
      container.dataset['ready'] = 'true';
    });
  }

  showDistrict(cells: readonly Cell[], cameras: Iterable<Camera>): void {
    this.whenReady(() => {
      const around = extent(cells, cameras);
      if (around) this.map.fitBounds(around, { padding: 40, animate: false, maxZoom: 17 });
      this.labels.splice(0).forEach((label) => label.remove());
      for (const cell of cells) {
        const element = document.createElement('span');
        element.className = 'map-label';
        element.textContent = cell.name;
        this.labels.push(new Marker({ element }).setLngLat(labelPlace(cell.boundary as [number, number][])).addTo(this.map));
      }
    });
  }

  showLoads(cells: readonly Cell[], loads: ReadonlyMap<string, number>): void {
    this.set('cells', () => cellFeatures(cells, loads));
  }

  showCameras(cameras: Iterable<Camera>): void {
    const all = Array.from(cameras);
    this.set('cameras', () => cameraFeatures(all));
    this.set('sights', () => sightFeatures(all));
  }

  showMarks(list: readonly Mark[]): void {
    this.whenReady(() => list.forEach((mark) => this.addIcon(mark)));
    this.set('marks', () => markFeatures(list));
  }

  fly(to: [number, number]): void {
    this.map.easeTo({ center: to, zoom: Math.max(this.map.getZoom(), 16), duration: 400 });
  }

  remove(): void {
    this.map.remove();
  }

  private set(source: (typeof SOURCES)[number], features: () => GeoJSON.FeatureCollection): void {
    this.whenReady(() => void this.map.getSource<GeoJSONSource>(source)?.setData(features()));
  }

  private whenReady(task: () => void): void {
    if (this.ready) task();
    else this.waiting.push(task);
  }

  private addIcon({ sign, ids }: Mark): void {
    const name = iconName(sign, ids.length);
    if (this.drawn.has(name)) return;
    this.drawn.add(name);
    const fills: Record<Sign, string> = { overdue: '--overdue', soon: '--soon', calm: '--calm', none: '--ink-soft', suspected: '--ink' };
    const colours = { fill: this.colour(fills[sign]), edge: this.colour('--page'), ink: this.colour('--page') };
    this.map.addImage(name, drawIcon(sign, name.split('-')[1] ?? '', colours), { pixelRatio: ICON_RATIO });
  }

  private addLayers(): void {
    SOURCES.forEach((id) => this.map.addSource(id, { type: 'geojson', data: NONE }));
    const [page, line, camera] = [this.colour('--page'), this.colour('--line-strong'), this.colour('--camera')];
    const shade = ['interpolate', ['linear'], ['get', 'load'], 0, this.colour('--cell'), 1, this.colour('--cell-loaded')];
    this.map.addLayer({ id: 'cells', type: 'fill', source: 'cells', paint: { 'fill-color': shade as never } });
    this.map.addLayer({ id: 'edges', type: 'line', source: 'cells', paint: { 'line-color': line, 'line-width': 1 } });
    this.map.addLayer({ id: 'sights', type: 'fill', source: 'sights', minzoom: 14.5, paint: { 'fill-color': camera, 'fill-opacity': 0.16 } });
    const by = (late: string, flawed: string, offline: string, fine: string) => [
      'match', ['get', 'condition'], 'late', late, 'flawed', flawed, ['offline', 'starting'], offline, fine,
    ];
    this.map.addLayer({
      id: 'cameras',
      type: 'circle',
      source: 'cameras',
      paint: {
        // A thousand dots at once must stay quieter than one incident.
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 12, 1.5, 14.5, 3, 17, 6] as never,
        'circle-color': by(this.colour('--camera-late'), page, page, camera) as never,
        'circle-stroke-color': by(this.colour('--camera-late'), this.colour('--camera-late'), camera, page) as never,
        'circle-stroke-width': ['interpolate', ['linear'], ['zoom'], 12, 0.5, 16, 1.5] as never,
      },
    });
    this.map.addLayer({
      id: 'marks',
      type: 'symbol',
      source: 'marks',
      layout: { 'icon-image': ['get', 'icon'], 'icon-allow-overlap': true, 'symbol-sort-key': ['get', 'rank'] },
    });
  }

  private listen(events: MapEvents): void {
    const clickable = ['marks', 'cameras', 'cells'];
    this.map.on('click', (event: MapMouseEvent) => {
      const [top] = this.map.queryRenderedFeatures(event.point, { layers: clickable });
      if (!top) return;
      const { id, ids } = top.properties as { id?: string; ids?: string };
      if (top.layer.id === 'marks') events.incidents((ids ?? '').split(' '));
      else if (id) (top.layer.id === 'cameras' ? events.camera : events.cell)(id);
    });
    this.map.on('mousemove', (event: MapMouseEvent) => {
      const over = this.map.queryRenderedFeatures(event.point, { layers: clickable }).length > 0;
      this.map.getCanvas().style.cursor = over ? 'pointer' : '';
    });
  }

  private colour(token: string): string {
    return getComputedStyle(this.container).getPropertyValue(token).trim();
  }
}
