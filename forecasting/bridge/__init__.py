"""The bridge between two moments: why what a period is expected to bring is another sum than it was.

Its value of a renewal in a period is what it has brought (renewed) or is expected to bring (probability times its mean
amount); 0 where it is lost, an approved exception, or not due in the period. Each renewal's change goes to bars in this
order, and what one bar has taken no later one takes again:

1. In the period and scope only at the end: `new` where it was not recorded at the start, or was an approved exception;
   `pulled_in` where it was due in another period; `owner` where somebody outside the scope owned it; `reclassified`
   where its segment was another.
2. In them only at the start: `removed` where it is gone, or an approved exception now; `pushed` where it is due in
   another period; `owner`; `reclassified`. Both of these take the whole value.
3. In both. `rates`: its value at the start, at the exchange rates of the end. Then, where it is decided otherwise
   (open, won, lost), all that is left: `reclassified` where only the timing policies made it so, that is where the end
   judged by the policies of the start is as decided as the start; else `won` where it was or is won and the other is
   open, `lost` where either is lost. Else `amount`: another amount at the old probability; then `probability`.

Every value is whole cents. The values of the start add up to the forecast line of the start, those of the end to that
of the end, and a renewal whose value did not change has the same cents in both; so the bars add up with residual 0.
"""

from forecasting.bridge.changes import BARS, Bridge, build_bridge
from forecasting.bridge.ends import End, InvalidEnd, read_end

__all__ = ["BARS", "Bridge", "End", "InvalidEnd", "build_bridge", "read_end"]
