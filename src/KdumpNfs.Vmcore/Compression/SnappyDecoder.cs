namespace KdumpNfs.Vmcore.Compression;

/// <summary>Unpacks raw snappy blocks.</summary>
/// <remarks>Source of the format: google/snappy's format_description.txt.</remarks>
internal static class SnappyDecoder
{
    /// <summary>Unpacks into a buffer.</summary>
    /// <returns>The bytes written; -1 when the block is damaged or does not fit.</returns>
    public static int Decode(ReadOnlySpan<byte> input, Span<byte> output)
    {
        int ip = 0, op = 0, shift = 0;
        long expected = 0;
        for (; ; shift += 7)
        {
            if (ip >= input.Length || shift > 28)
            {
                return -1;
            }

            var b = input[ip++];
            expected |= (long)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                break;
            }
        }

        if (expected > output.Length)
        {
            return -1;
        }

        output = output[..(int)expected];
        while (ip < input.Length)
        {
            int tag = input[ip++];
            int length, distance, extra;
            switch (tag & 3)
            {
                case 0:
                    length = tag >> 2;
                    if (length >= 60)
                    {
                        extra = length - 59;
                        if (extra > input.Length - ip)
                        {
                            return -1;
                        }

                        long value = 0;
                        for (var i = 0; i < extra; i++)
                        {
                            value |= (long)input[ip + i] << (8 * i);
                        }

                        ip += extra;
                        if (value >= output.Length)
                        {
                            return -1;
                        }

                        length = (int)value;
                    }

                    length++;
                    if (length > input.Length - ip || length > output.Length - op)
                    {
                        return -1;
                    }

                    input.Slice(ip, length).CopyTo(output[op..]);
                    ip += length;
                    op += length;
                    continue;
                case 1:
                    if (ip >= input.Length)
                    {
                        return -1;
                    }

                    length = ((tag >> 2) & 7) + 4;
                    distance = ((tag >> 5) << 8) | input[ip++];
                    break;
                case 2:
                    if (ip + 2 > input.Length)
                    {
                        return -1;
                    }

                    length = (tag >> 2) + 1;
                    distance = input[ip] | (input[ip + 1] << 8);
                    ip += 2;
                    break;
                default:
                    if (ip + 4 > input.Length)
                    {
                        return -1;
                    }

                    length = (tag >> 2) + 1;
                    distance = input[ip] | (input[ip + 1] << 8) | (input[ip + 2] << 16) | (input[ip + 3] << 24);
                    ip += 4;
                    break;
            }

            if (!BackReference.Copy(output, ref op, distance, length))
            {
                return -1;
            }
        }

        return op == output.Length ? op : -1;
    }
}
