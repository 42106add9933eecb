/** Sets an entry as the newest of a map; where there is no room for it, the one set longest ago goes. */
export const remember = <Key, Value>(map: Map<Key, Value>, key: Key, value: Value, limit: number): void => {
  map.delete(key);
  if (map.size >= limit) map.delete(map.keys().next().value as Key);
  map.set(key, value);
};
