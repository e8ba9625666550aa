using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace KdumpNfs.Tests.Unit.Text;

/// <summary>Files to try documents on: noise, and noise made of pieces that mean something in that document.</summary>
internal static class DocumentGen
{
    /// <summary>Arbitrary bytes, NULs and invalid UTF-8 among them.</summary>
    public static Gen<byte[]> Noise => Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf();

    /// <summary>Pieces of a document in any order, with any line ends, and noise between them now and then.</summary>
    public static Gen<byte[]> Pieces(params string[] pieces)
    {
        var ends = new[] { "\n", "\n", "\n", "\n", "\r\n", "", "\n\n", " \n", "\\\n" };
        var piece = Gen.Frequency(
            (20, Gen.Elements(pieces).Select(Encoding.UTF8.GetBytes)),
            (1, Gen.Choose(0, 255).Select(b => new[] { (byte)b }).Select(b => b[0] == 0 ? "x"u8.ToArray() : b)));
        return (from p in piece from e in Gen.Elements(ends) select p.Concat(Encoding.ASCII.GetBytes(e)).ToArray())
            .ListOf().Select(parts => parts.SelectMany(p => p).ToArray());
    }

    /// <summary>Noise or pieces.</summary>
    public static Gen<byte[]> Any(params string[] pieces) => Gen.Frequency((1, Noise), (4, Pieces(pieces)));

    /// <summary>Runs a property and throws with the smallest counterexample.</summary>
    public static void Check<T>(Gen<T> gen, Func<T, bool> holds, int runs = 500) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(runs).WithEndSize(40), Prop.ForAll(gen.ToArbitrary(), holds));

    /// <summary>The bytes as text for an assertion.</summary>
    public static string Show(byte[] bytes) => Encoding.Latin1.GetString(bytes);
}
