using System.Text;

namespace KdumpNfs.Kdump;

/// <summary>Words with the blanks between them, so that an edit of one leaves the rest as it was written. Immutable.</summary>
internal sealed class CollectorWords
{
    private readonly List<(string Gap, string Word)> words;
    private readonly string tail;

    private CollectorWords(List<(string Gap, string Word)> words, string tail)
    {
        this.words = words;
        this.tail = tail;
    }

    /// <summary>How many words there are.</summary>
    public int Count => words.Count;

    /// <summary>One word.</summary>
    public string this[int index] => words[index].Word;

    /// <summary>The first place of a word, or -1.</summary>
    public int IndexOf(string word) => words.FindIndex(w => w.Word == word);

    /// <summary>Splits at spaces, tabs and line feeds, which is how sh splits by default (POSIX, 2.6.5).</summary>
    public static CollectorWords Split(string text)
    {
        var words = new List<(string, string)>();
        var i = 0;
        while (true)
        {
            var gap = i;
            while (i < text.Length && text[i] is ' ' or '\t' or '\n')
            {
                i++;
            }

            if (i == text.Length)
            {
                return new CollectorWords(words, text[gap..]);
            }

            var start = i;
            while (i < text.Length && text[i] is not (' ' or '\t' or '\n'))
            {
                i++;
            }

            words.Add((text[gap..start], text[start..i]));
        }
    }

    /// <summary>Another word in one's place.</summary>
    public CollectorWords Replace(int index, string word)
    {
        var copy = words.ToList();
        copy[index] = (copy[index].Gap, word);
        return new CollectorWords(copy, tail);
    }

    /// <summary>A word before the one at an index.</summary>
    public CollectorWords Insert(int index, string word)
    {
        var copy = words.ToList();
        if (index == 0 && copy.Count > 0)
        {
            copy[0] = (copy[0].Gap.Length == 0 ? " " : copy[0].Gap, copy[0].Word);
        }

        copy.Insert(index, (index == 0 ? "" : " ", word));
        return new CollectorWords(copy, tail);
    }

    /// <summary>One word less, with the blanks before it.</summary>
    public CollectorWords Remove(int index)
    {
        var copy = words.ToList();
        if (index == 0 && copy.Count > 1)
        {
            copy[1] = (copy[0].Gap, copy[1].Word);
        }

        copy.RemoveAt(index);
        return new CollectorWords(copy, tail);
    }

    /// <summary>The text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (gap, word) in words)
        {
            text.Append(gap).Append(word);
        }

        return text.Append(tail).ToString();
    }
}
