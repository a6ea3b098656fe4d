using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rflo.Core;

/// <summary>
/// Threefry2x64 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a block cipher without
/// secrets. A key of 128 bits and a counter of 128 bits give 128 bits that pass all of TestU01's BigCrush; under one key, distinct
/// counters give distinct blocks.
/// </summary>
internal static class Threefry
{
    /// <summary>Blocks that <see cref="Fill"/> makes at once. Part of what a stream is: another number gives another order.</summary>
    public const int BatchBlocks = 8;

    private const ulong Parity = 0x1BD11BDAA9FC1A22;

    /// <summary>One block.</summary>
    /// <param name="key">The key.</param>
    /// <param name="low">First word of the counter; the first word of the result on return.</param>
    /// <param name="high">Second word of the counter; the second word of the result on return.</param>
    public static void Block(StreamKey key, ref ulong low, ref ulong high)
    {
        ulong third = key.Low ^ key.High ^ Parity;
        ulong x = low + key.Low, y = high + key.High;
        FirstRounds(ref x, ref y);
        (x, y) = (x + key.High, y + third + 1);
        LastRounds(ref x, ref y);
        (x, y) = (x + third, y + key.Low + 2);
        FirstRounds(ref x, ref y);
        (x, y) = (x + key.Low, y + key.High + 3);
        LastRounds(ref x, ref y);
        (x, y) = (x + key.High, y + third + 4);
        FirstRounds(ref x, ref y);
        (low, high) = (x + third, y + key.Low + 5);
    }

    /// <summary>
    /// The blocks of <see cref="BatchBlocks"/> counters in a row: first the first words of all, then the second words, as
    /// registers of any width hold them.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="low">First word of the first counter; the others follow it.</param>
    /// <param name="high">Second word of all counters.</param>
    /// <param name="words">Overwritten; twice <see cref="BatchBlocks"/>.</param>
    public static void Fill(StreamKey key, ulong low, ulong high, Span<ulong> words)
    {
        ref ulong to = ref words[0];
        _ = words[2 * BatchBlocks - 1];
        ulong third = key.Low ^ key.High ^ Parity;
        var key0 = new Vector<ulong>(key.Low);
        var key1 = new Vector<ulong>(key.High);
        var key2 = new Vector<ulong>(third);
        Vector<ulong> counter = new Vector<ulong>(low) + Vector<ulong>.Indices;
        for (int k = 0; k < BatchBlocks; k += Vector<ulong>.Count)
        {
            Vector<ulong> x = counter + new Vector<ulong>((ulong)k) + key0, y = new Vector<ulong>(high) + key1;
            FirstRounds(ref x, ref y);
            (x, y) = (x + key1, y + key2 + new Vector<ulong>(1));
            LastRounds(ref x, ref y);
            (x, y) = (x + key2, y + key0 + new Vector<ulong>(2));
            FirstRounds(ref x, ref y);
            (x, y) = (x + key0, y + key1 + new Vector<ulong>(3));
            LastRounds(ref x, ref y);
            (x, y) = (x + key1, y + key2 + new Vector<ulong>(4));
            FirstRounds(ref x, ref y);
            (x + key2).StoreUnsafe(ref to, (nuint)k);
            (y + key0 + new Vector<ulong>(5)).StoreUnsafe(ref to, (nuint)(BatchBlocks + k));
        }
    }

    /// <summary>Rounds 0 to 3 of every eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FirstRounds(ref ulong x, ref ulong y)
    {
        x += y;
        y = BitOperations.RotateLeft(y, 16) ^ x;
        x += y;
        y = BitOperations.RotateLeft(y, 42) ^ x;
        x += y;
        y = BitOperations.RotateLeft(y, 12) ^ x;
        x += y;
        y = BitOperations.RotateLeft(y, 31) ^ x;
    }

    /// <summary>Rounds 4 to 7 of every eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LastRounds(ref ulong x, ref ulong y)
    {
        x += y;
        y = BitOperations.RotateLeft(y, 16) ^ x;
        x += y;
        y = BitOperations.RotateLeft(y, 32) ^ x;
        x += y;
        y = BitOperations.RotateLeft(y, 24) ^ x;
        x += y;
        y = BitOperations.RotateLeft(y, 21) ^ x;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FirstRounds(ref Vector<ulong> x, ref Vector<ulong> y)
    {
        x += y;
        y = ((y << 16) | (y >>> 48)) ^ x;
        x += y;
        y = ((y << 42) | (y >>> 22)) ^ x;
        x += y;
        y = ((y << 12) | (y >>> 52)) ^ x;
        x += y;
        y = ((y << 31) | (y >>> 33)) ^ x;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LastRounds(ref Vector<ulong> x, ref Vector<ulong> y)
    {
        x += y;
        y = ((y << 16) | (y >>> 48)) ^ x;
        x += y;
        y = ((y << 32) | (y >>> 32)) ^ x;
        x += y;
        y = ((y << 24) | (y >>> 40)) ^ x;
        x += y;
        y = ((y << 21) | (y >>> 43)) ^ x;
    }
}
