/** Matchers that tie queries to the variables of a dashboard, and links from one dashboard to the other. */

/** A fleet need not have a label `cluster`: All is `.*`, which also matches where there is none. */
export const inClusters = 'cluster=~"$cluster"';
export const inFleet = `${inClusters}, job=~"$job"`;
export const onHost = `${inFleet}, instance="$instance"`;

export const fleetUid = 'mmaplock-fleet';
export const hostUid = 'mmaplock-host';

const kept = `\${datasource:queryparam}&\${cluster:queryparam}&\${job:queryparam}&\${__url_time_range}`;

/** From a cell that holds an instance. */
export const toHost = {
  title: 'This host',
  url: `/d/${hostUid}?var-instance=\${__value.raw:percentencode}&${kept}`,
};

/** From a cell that holds the name of a reader. */
export const toReader = {
  title: 'This reader across the fleet',
  url: `/d/${fleetUid}?var-reader=\${__value.raw:percentencode}&\${window:queryparam}&${kept}`,
};
