/** What the conformance suite reports, as results. */
import { expect, it } from 'vitest';
import { readReport } from '../conformance/report.ts';

const REPORT = `<testsuites><testsuite>
<testcase name="[SynchronizedBeforeSuite]" classname="x" status="passed" time="0.1"></testcase>
<testcase name="[It] [sig-apps] Job should &lt;run&gt; [Conformance]" classname="x" status="passed" time="1.5">
  <system-err>STEP: x</system-err>
</testcase>
<testcase name="[It] [sig-node] Pods should start" classname="x" status="failed" time="2">
  <failure message="" type="failed">[FAILED] Expected &#34;a&#34; to be b&#xA;In [It] at: pods.go:1</failure>
</testcase>
<testcase name="[It] [sig-node] Pods should panic" classname="x" status="panicked" time="2">
  <error message="" type="panicked">[PANICKED] Test Panicked&#xA;In [It]</error>
</testcase>
<testcase name="[It] [sig-cli] Kubectl" classname="x" status="skipped" time="0"><skipped message="skipped"></skipped></testcase>
<testcase name="[It] [sig-cli] Later" classname="x" status="pending" time="0"/>
</testsuite></testsuites>`;

it('has a result for each test, and why those failed that did', () => {
  expect(readReport(REPORT).map(({ name, outcome, seconds, why }) => [name, outcome, seconds, why])).toEqual([
    ['[sig-apps] Job should <run> [Conformance]', 'passed', 1.5, ''],
    ['[sig-node] Pods should start', 'failed', 2, 'Expected "a" to be b'],
    ['[sig-node] Pods should panic', 'failed', 2, 'Test Panicked'],
    ['[sig-cli] Kubectl', 'skipped', 0, ''],
    ['[sig-cli] Later', 'skipped', 0, ''],
  ]);
});
