/** /api/v1/incidents and /api/v1/incidents/{id}. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  describeIncident,
  describeIncidentFully,
  incidentDetail,
  incidentOrder,
  incidentRow,
} from '../../api/incident-rows.js';
import { listOf, listQuery, pageOf, sinceFilter, sinceQuery } from '../../api/lists/lists.js';
import { sortQuery } from '../../api/lists/order.js';
import { matches, nameQuery } from '../../api/rows.js';
import type { DaemonView } from '../../api/view.js';
import { MmaplockError } from '../../errors.js';
import { noFile } from '../../ledger/incidents/incident.js';
import { procFiles } from '../../vocabulary.js';

/** Whether any of the values is the one that was asked for; all are where none was. */
const holds = (wanted: string | undefined, values: readonly string[]): boolean =>
  wanted === undefined || values.includes(wanted);

export const incidentRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    const order = incidentOrder(view);
    app.get(
      '/api/v1/incidents',
      {
        schema: {
          summary: 'Stalls over the threshold: who stalled whom, for how long, and what else waited',
          querystring: Type.Object(
            {
              ...listQuery,
              ...sortQuery(order),
              ...sinceQuery,
              victim: nameQuery,
              reader: nameQuery,
              file: Type.Optional(
                Type.Enum([...procFiles, noFile], {
                  description: 'With a reader of this file; none: without any reader.',
                }),
              ),
              state: Type.Optional(Type.Enum(['open', 'closed'])),
            },
            { additionalProperties: false },
          ),
          response: { 200: listOf(incidentRow) },
        },
      },
      async ({ query }) => {
        const { incidents } = view.ledger;
        const isRecent = sinceFilter(query.since, view);
        const entries = incidents.list().filter(
          ({ victim, readers, files, lastAt, closedAt, ahead }) =>
            isRecent(ahead === undefined ? lastAt : view.atTimeOfDay(lastAt + ahead)) &&
            matches(query.victim, victim.name) &&
            matches(query.state, closedAt === undefined ? 'open' : 'closed') &&
            holds(
              query.reader,
              readers.map(({ name }) => name),
            ) &&
            holds(query.file, files.length === 0 ? [noFile] : files.map(({ file }) => file)),
        );
        return pageOf(entries, query, {
          order,
          describe: (incident) => describeIncident(incident, view),
          view,
          complete: incidents.dropped === 0 && incidents.notOpened === 0,
        });
      },
    );
    app.get(
      '/api/v1/incidents/:id',
      {
        schema: {
          summary: 'One incident with all its evidence',
          params: Type.Object({ id: Type.String({ maxLength: 64, description: 'As the list gives it.' }) }),
          response: { 200: incidentDetail },
        },
      },
      async ({ params: { id } }) => {
        const incident = view.ledger.incidents.get(id);
        if (incident === undefined)
          throw new MmaplockError(
            'not_found',
            `there is no incident ${JSON.stringify(id)}, or not any more`,
            {
              field: 'id',
              fix: '/api/v1/incidents lists those that are kept.',
            },
          );
        return describeIncidentFully(incident, view);
      },
    );
  };
