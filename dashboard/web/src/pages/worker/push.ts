import type { MqttClient } from 'mqtt';
import { onScopeDispose, ref } from 'vue';
import { get } from '@/api/client';
import type { MqttAccess, ReplyMessage, TaskMessage } from '@/api/types';
import { newKey } from '@/shared/key';

export type PushState = 'connecting' | 'live' | 'off';

const PAUSES_MS = [1_000, 3_000, 10_000, 30_000];
// Shorter than the time after which mobile networks drop a quiet connection.
const KEEPALIVE_S = 45;
const CONNECT_MS = 8_000;

/** Tasks by MQTT while the page is open. On each connect `onConnect` pulls what is owed: the broker is no record. */
export function usePush(handlers: { onConnect: () => void; onTask: (message: TaskMessage) => void; onAnswer: () => void }) {
  const state = ref<PushState>('connecting');
  let client: MqttClient | null = null;
  let access: MqttAccess | null = null;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  const again = () => {
    if (closed) return;
    state.value = 'off';
    const pause = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)];
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(() => void connect(), pause);
  };

  const connect = async () => {
    clearTimeout(timer);
    client?.end(true);
    client = null;
    state.value = 'connecting';
    try {
      // Asked for anew each time: the password lives for one shift.
      const [given, { default: mqtt }] = await Promise.all([get<MqttAccess>('/api/mqtt'), import('mqtt')]);
      if (closed) return;
      access = given;
      begin(mqtt.connect(given.ws_url, {
        clientId: given.client_id, username: given.username, password: given.password,
        keepalive: KEEPALIVE_S, connectTimeout: CONNECT_MS, reconnectPeriod: 0, clean: true, protocolVersion: 4,
      }), given);
    } catch {
      again();
    }
  };

  const begin = (made: MqttClient, given: MqttAccess) => {
    client = made;
    made.on('connect', () => {
      made.subscribe([given.tasks_topic, given.answers_topic], { qos: 1 }, (problem) => {
        if (problem) return made.end(true);
        failures = 0;
        state.value = 'live';
        handlers.onConnect();
      });
    });
    made.on('message', (topic, payload) => {
      if (topic === given.tasks_topic) handlers.onTask(JSON.parse(new TextDecoder().decode(payload)) as TaskMessage);
      else handlers.onAnswer();
    });
    made.on('error', () => made.end(true));
    made.on('close', () => {
      if (client === made) {
        client = null;
        again();
      }
    });
  };

  /** Tells dispatch that a task has arrived here or was looked at. False when there is no connection. */
  const reply = (incident: string, step: 'receive' | 'seen'): boolean => {
    if (!client?.connected || !access) return false;
    const message: ReplyMessage = { v: 1, key: newKey(), incident, step, at: new Date().toISOString(), data: {} as ReplyMessage['data'] };
    client.publish(access.replies_topic, JSON.stringify(message), { qos: 1 });
    return true;
  };

  const onOnline = () => {
    if (state.value !== 'live') void connect();
  };
  // A broken line is not noticed by itself before the keepalive.
  const onOffline = () => client?.end(true);
  window.addEventListener('online', onOnline);
  window.addEventListener('offline', onOffline);
  onScopeDispose(() => {
    closed = true;
    clearTimeout(timer);
    window.removeEventListener('online', onOnline);
    window.removeEventListener('offline', onOffline);
    client?.end(true);
  });
  void connect();
  return { state, reply };
}
