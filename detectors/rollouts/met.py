"""Which users have been met: a Bloom filter (Bloom 1970), so that each counts once whatever comes.

It never takes one who was met for a new one. The fuller it is, the more new ones it takes for met, and those
are left out whichever arm they are of: that costs power, never validity.
"""

from msgspec import Struct, field
from xxhash import xxh3_64_intdigest

BYTES, PROBES = 4096, 4
"""One in twenty of the new is left out after 5,000 users, one in four after 10,000."""
_BITS = 8 * BYTES


class Met(Struct, array_like=True):
    """Its bits, none while nobody was met."""

    bits: bytearray = field(default_factory=bytearray)

    def meets(self, user: str) -> bool:
        """Whether this is the first time, as far as is known; afterwards it is not."""
        self.bits = self.bits or bytearray(BYTES)
        digest = xxh3_64_intdigest(user.encode("utf-8", "surrogatepass"))
        places = [(digest >> (16 * each)) % _BITS for each in range(PROBES)]
        first = not all(self.bits[place >> 3] & (1 << (place & 7)) for place in places)
        for place in places:
            self.bits[place >> 3] |= 1 << (place & 7)
        return first
