/** Messages of `events.v1`: see `../parse.ts` for how they are written. */
export const eventsV1 = `
^Event metadata=1:meta.v1.ObjectMeta|v eventTime*=2:meta.v1.MicroTime|v series=3:EventSeries reportingController=4:s reportingInstance=5:s action=6:s reason=7:s regarding=8:core.v1.ObjectReference|v related=9:core.v1.ObjectReference note=10:s type=11:s deprecatedSource=12:core.v1.EventSource|v deprecatedFirstTimestamp=13:meta.v1.Time|v deprecatedLastTimestamp=14:meta.v1.Time|v deprecatedCount=15:i
^EventList metadata=1:meta.v1.ListMeta|v items*=2:[]Event
EventSeries count*=1:i lastObservedTime*=2:meta.v1.MicroTime|v
`;
