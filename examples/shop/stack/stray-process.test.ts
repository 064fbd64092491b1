import { expect, test } from 'vitest'
import { stackFolder } from './stack-folder.ts'
import { parseProcessList, processTitle } from './stray-process.ts'

const folder = stackFolder('/srv/shop/.evtkit/stack')

const found = (...lines: string[]) => parseProcessList(lines.join('\n'), folder)

test('a part is known by its title', () => {
  expect(found(`   77 ${processTitle(folder, 'orders')}`)).toEqual([{ pid: 77, member: 'orders' }])
})

test('a part is known by its command line while it has no title yet', () => {
  const args = `/usr/bin/node --import x --title=${processTitle(folder, 'mail-sink')} /srv/shop/main.ts mail-sink`
  expect(found(`78 ${args}`)).toEqual([{ pid: 78, member: 'mail-sink' }])
})

test('the servers are known by the folder they were started on', () => {
  expect(
    found(
      `  10 java -Xmx512m -cp /jars/* kafka.Kafka ${folder.kafka}/server.properties`,
      `  11 /usr/lib/postgresql/15/bin/postgres -D ${folder.postgres}/cluster -p 21000 -c listen_addresses=127.0.0.1`,
      `  12 java -Dquarkus.http.port=1 -Dapicurio.datasource.url=jdbc:h2:file:${folder.registry}/schemas;WRITE_DELAY=0 -jar /a/quarkus-run.jar`,
    ),
  ).toEqual([
    { pid: 10, member: 'kafka' },
    { pid: 11, member: 'postgres' },
    { pid: 12, member: 'registry' },
  ])
})

test('the parts of another stack are left alone, also of one whose folder begins with the same letters', () => {
  const other = stackFolder('/srv/shop/.evtkit/stack-2')
  expect(found(`77 ${processTitle(other, 'orders')}`)).toEqual([])
  expect(found(`10 java kafka.Kafka ${other.kafka}/server.properties`)).toEqual([])
})

test('whoever only looks at files of the folder is left alone', () => {
  expect(
    found(
      `1 tail -f ${folder.logs}/orders.log`,
      `2 vi ${folder.kafka}/server.properties`,
      `3 grep ${processTitle(folder, 'orders')}`,
      `4 psql -D ${folder.postgres}/cluster `,
      '5 [kworker/0:1]',
      '',
    ),
  ).toEqual([])
})
