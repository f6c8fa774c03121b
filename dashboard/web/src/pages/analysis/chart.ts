import { BarChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { init, use, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { Funnel } from '@/api/types';
import { FUNNEL } from './columns';

use([BarChart, GridComponent, TooltipComponent, CanvasRenderer]);

export interface FunnelWords {
  name: (stage: keyof Funnel) => string;
  now: string;
  before: string;
}

/** Stages as bars, now above before: where incidents get stuck is where the bars drop. */
export class FunnelChart {
  private readonly chart: EChartsType;

  constructor(
    private readonly box: HTMLElement,
    onStage: (stage: keyof Funnel) => void,
  ) {
    this.chart = init(box);
    this.chart.on('click', ({ dataIndex, seriesIndex }) => {
      const stage = FUNNEL[dataIndex];
      if (stage && seriesIndex === 0) onStage(stage);
    });
  }

  show(now: Funnel, before: Funnel | null, words: FunnelWords): void {
    const ink = this.colour('--ink');
    const bar = (name: string, funnel: Funnel, colour: string, label: boolean) => ({
      name,
      type: 'bar' as const,
      data: FUNNEL.map((stage) => funnel[stage]),
      itemStyle: { color: colour, borderRadius: [0, 3, 3, 0] },
      barMaxWidth: 22,
      barGap: '10%',
      label: { show: label, position: 'right' as const, color: ink, fontSize: 15 },
    });
    this.chart.setOption(
      {
        animationDuration: 300,
        grid: { left: 8, right: 56, top: 4, bottom: 4, containLabel: true },
        // Drawn on the canvas: HTML tooltips need inline styles, which the content policy should not have to allow.
        tooltip: { trigger: 'axis', renderMode: 'richText', axisPointer: { type: 'shadow' } },
        xAxis: { type: 'value', minInterval: 1, axisLabel: { show: false }, splitLine: { show: false } },
        yAxis: {
          type: 'category',
          inverse: true,
          data: FUNNEL.map(words.name),
          axisLabel: { color: ink, fontSize: 15 },
          axisTick: { show: false },
          axisLine: { lineStyle: { color: this.colour('--line-strong') } },
        },
        series: [bar(words.now, now, this.colour('--accent'), true), ...(before ? [bar(words.before, before, this.colour('--cell-loaded'), false)] : [])],
      },
      { notMerge: true },
    );
  }

  resize(): void {
    this.chart.resize();
  }

  remove(): void {
    this.chart.dispose();
  }

  private colour(token: string): string {
    return getComputedStyle(this.box).getPropertyValue(token).trim();
  }
}
