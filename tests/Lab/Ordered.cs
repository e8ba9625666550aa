using Xunit.Abstractions;
using Xunit.Sdk;

[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: TestCollectionOrderer(KdumpNfs.Tests.Lab.ChapterOrderer.TypeName, KdumpNfs.Tests.Lab.StepOrderer.AssemblyName)]

namespace KdumpNfs.Tests.Lab;

/// <summary>The place of a scenario: guests are booted once, so scenarios build on each other.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class StepAttribute(int place) : Attribute
{
    public int Place { get; } = place;
}

/// <summary>Runs the scenarios of a class by their <see cref="StepAttribute"/>.</summary>
public sealed class StepOrderer : ITestCaseOrderer
{
    public const string TypeName = "KdumpNfs.Tests.Lab.StepOrderer";
    public const string AssemblyName = "KdumpNfs.Lab.Tests";

    public IEnumerable<TTestCase> OrderTestCases<TTestCase>(IEnumerable<TTestCase> testCases)
        where TTestCase : ITestCase =>
        testCases.OrderBy(test => test.TestMethod.Method.GetCustomAttributes(typeof(StepAttribute).AssemblyQualifiedName)
            .FirstOrDefault()?.GetNamedArgument<int>(nameof(StepAttribute.Place)) ?? int.MaxValue);
}

/// <summary>Runs the classes by the names of their collections: "1 The main job" leaves hosts that the chapters after it start from.</summary>
public sealed class ChapterOrderer : ITestCollectionOrderer
{
    public const string TypeName = "KdumpNfs.Tests.Lab.ChapterOrderer";

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => collection.DisplayName, StringComparer.Ordinal);
}
