import type { Sign } from './mapShapes';

// Twice the size on screen, so that the marks stay sharp on fine screens.
export const ICON_RATIO = 2;
const SIZE = 30 * ICON_RATIO;

/** The same shapes as in the lists, drawn for the map; with a number where several incidents share a place. */
export function drawIcon(sign: Sign, label: string, colours: { fill: string; edge: string; ink: string }): ImageData {
  const canvas = document.createElement('canvas');
  canvas.width = SIZE;
  canvas.height = SIZE;
  const pen = canvas.getContext('2d');
  if (!pen) return new ImageData(SIZE, SIZE);
  pen.lineWidth = 3 * ICON_RATIO;
  pen.lineJoin = 'round';
  const held = sign === 'suspected';
  // A question is hollow: nobody has said yet that it is anything.
  pen.strokeStyle = held ? colours.fill : colours.edge;
  pen.fillStyle = held ? colours.edge : colours.fill;
  outline(pen, sign);
  pen.stroke();
  pen.fill();
  if (label !== '1' || held) {
    pen.fillStyle = held ? colours.fill : colours.ink;
    pen.font = `700 ${11 * ICON_RATIO}px system-ui, sans-serif`;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.fillText(held ? `${label === '1' ? '' : label}?` : label, SIZE / 2, SIZE * (sign === 'overdue' ? 0.62 : 0.53));
  }
  return pen.getImageData(0, 0, SIZE, SIZE);
}

function outline(pen: CanvasRenderingContext2D, sign: Sign): void {
  const at = (x: number, y: number): [number, number] => [x * SIZE, y * SIZE];
  const corners: Partial<Record<Sign, [number, number][]>> = {
    overdue: [at(0.5, 0.1), at(0.93, 0.86), at(0.07, 0.86)],
    soon: [at(0.5, 0.08), at(0.92, 0.5), at(0.5, 0.92), at(0.08, 0.5)],
  };
  pen.beginPath();
  const shape = corners[sign];
  if (shape) {
    shape.forEach(([x, y], index) => (index === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
    pen.closePath();
  } else {
    pen.arc(SIZE / 2, SIZE / 2, SIZE * 0.34, 0, 2 * Math.PI);
  }
}
