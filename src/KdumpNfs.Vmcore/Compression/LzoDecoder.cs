namespace KdumpNfs.Vmcore.Compression;

/// <summary>Unpacks LZO1X streams (any level of the compressor gives the same format).</summary>
/// <remarks>Source of the format: the kernel's Documentation/staging/lzo.rst, version 0 streams. Every copy is checked against both buffers.</remarks>
internal static class LzoDecoder
{
    /// <summary>Unpacks into a buffer.</summary>
    /// <returns>The bytes written; -1 when the stream is damaged or does not fit.</returns>
    public static int Decode(ReadOnlySpan<byte> input, Span<byte> output)
    {
        int ip = 0, op = 0;

        // What the last instruction left: 0 to 3 literals behind a match, 4 after a long run of literals.
        var state = 0;
        if (input.Length > 0 && input[0] > 17)
        {
            var count = input[ip++] - 17;
            if (!Literals(input, ref ip, output, ref op, count))
            {
                return -1;
            }

            state = Math.Min(count, 4);
        }

        while (ip < input.Length)
        {
            int token = input[ip++];
            int length, distance;
            if (token >= 64)
            {
                if (ip >= input.Length)
                {
                    return -1;
                }

                length = (token >> 5) + 1;
                distance = ((token >> 2) & 7) + (input[ip++] << 3) + 1;
            }
            else if (token >= 16)
            {
                var far = token < 32;
                var mask = far ? 7 : 31;
                length = token & mask;
                if (length == 0 && (length = Extended(input, ref ip, mask)) < 0)
                {
                    return -1;
                }

                length += 2;
                if (ip + 2 > input.Length)
                {
                    return -1;
                }

                var word = input[ip] | (input[ip + 1] << 8);
                ip += 2;
                distance = (word >> 2) + 1;
                if (far)
                {
                    distance += 16383 + ((token & 8) << 11);
                    if (distance == 16384)
                    {
                        // The end mark.
                        return ip == input.Length && length == 3 ? op : -1;
                    }
                }

                token = word;
            }
            else if (state == 0)
            {
                length = token;
                if (length == 0 && (length = Extended(input, ref ip, 15)) < 0)
                {
                    return -1;
                }

                if (!Literals(input, ref ip, output, ref op, length + 3))
                {
                    return -1;
                }

                state = 4;
                continue;
            }
            else
            {
                if (ip >= input.Length)
                {
                    return -1;
                }

                distance = (token >> 2) + (input[ip++] << 2) + 1;
                length = 2;
                if (state == 4)
                {
                    distance += 2048;
                    length = 3;
                }
            }

            if (!BackReference.Copy(output, ref op, distance, length))
            {
                return -1;
            }

            state = token & 3;
            if (state > 0 && !Literals(input, ref ip, output, ref op, state))
            {
                return -1;
            }
        }

        return -1;
    }

    // A length whose bits are all zero goes on in bytes: 255 for each zero byte, then the last one.
    private static int Extended(ReadOnlySpan<byte> input, ref int ip, int length)
    {
        while (ip < input.Length)
        {
            var b = input[ip++];
            if (b != 0)
            {
                return length + b;
            }

            length += 255;
        }

        return -1;
    }

    private static bool Literals(ReadOnlySpan<byte> input, ref int ip, Span<byte> output, ref int op, int count)
    {
        if (count > input.Length - ip || count > output.Length - op)
        {
            return false;
        }

        input.Slice(ip, count).CopyTo(output[op..]);
        ip += count;
        op += count;
        return true;
    }
}

/// <summary>Copies of what was unpacked before.</summary>
internal static class BackReference
{
    /// <summary>Copies <paramref name="length"/> bytes from <paramref name="distance"/> back; they may overlap, then they repeat.</summary>
    public static bool Copy(Span<byte> output, ref int op, int distance, int length)
    {
        if (distance <= 0 || distance > op || length > output.Length - op)
        {
            return false;
        }

        var from = op - distance;
        if (distance >= length)
        {
            output.Slice(from, length).CopyTo(output[op..]);
        }
        else if (distance == 1)
        {
            output.Slice(op, length).Fill(output[from]);
        }
        else
        {
            for (var i = 0; i < length; i++)
            {
                output[op + i] = output[from + i];
            }
        }

        op += length;
        return true;
    }
}
