namespace Rflo.Analysis;

/// <summary>The areas of units: from the locations of their electrodes, or of their electrode groups.</summary>
internal static class ElectrodeAreas
{
    /// <summary>The area of a unit of which the file does not say where it was recorded.</summary>
    public const string Unknown = "unknown";

    private const string Ephys = "/general/extracellular_ephys";
    private const string Table = Ephys + "/electrodes";
    private const string UnitElectrodes = "/units/electrodes";
    private const string UnitGroups = "/units/electrode_group";

    /// <summary>The electrodes and the area of each unit.</summary>
    /// <exception cref="NwbException">A unit has an electrode that is not there, or a column has another length than its table.</exception>
    public static (int[][] Electrodes, string[] Areas) Read(NwbSource source, int units)
    {
        int[][] electrodes = [.. Enumerable.Repeat<int[]>([], units)];
        string[] areas = [.. Enumerable.Repeat(Unknown, units)];
        if (source.Has(UnitGroups) && source.IsReference(UnitGroups))
            OfGroups(source, areas);
        if (source.Has(UnitElectrodes))
        {
            electrodes = Regions(source, units);
            string[]? locations = Locations(source, electrodes);
            for (int unit = 0; unit < units && locations is not null; unit++)
                if (MostFrequent([.. electrodes[unit].Select(row => locations[row]).Where(location => location.Length > 0)]) is { } area)
                    areas[unit] = area;
        }

        return (electrodes, areas);
    }

    private static void OfGroups(NwbSource source, string[] areas)
    {
        if (source.Length(UnitGroups) != areas.Length)
            throw new NwbException(source.Path, UnitGroups, $"has {source.Length(UnitGroups)} values, and the table has {areas.Length} rows", "Write the column anew with a value for each row.");
        string[] locations = source.OfReferences(UnitGroups, Ephys, "location");
        for (int unit = 0; unit < areas.Length; unit++)
            if (locations[unit].Length > 0)
                areas[unit] = locations[unit];
    }

    /// <summary>Rows of the electrodes of each unit: a column of ragged rows, or of one electrode a unit.</summary>
    private static int[][] Regions(NwbSource source, int units)
    {
        double[] rows = source.Numbers(UnitElectrodes);
        int wrong = Array.FindIndex(rows, row => !(row >= 0 && row <= int.MaxValue && row == Math.Floor(row)));
        if (wrong >= 0)
            throw new NwbException(source.Path, UnitElectrodes, FormattableString.Invariant($"has the electrode {rows[wrong]}; it must be a row of {Table}"), "Write the rows of the electrodes, from 0.");
        if (!source.Has(UnitElectrodes + "_index") && rows.Length == units)
            return [.. rows.Select(row => new[] { (int)row })];
        var ragged = RaggedRows.Read(source, UnitElectrodes, units, rows.Length);
        return [.. Enumerable.Range(0, units).Select(unit => rows[(int)ragged.Start(unit)..(int)ragged.End(unit)].Select(row => (int)row).ToArray())];
    }

    /// <summary>What each electrode says of its place: its location, or else the name of its group; null where the file has neither.</summary>
    private static string[]? Locations(NwbSource source, int[][] electrodes)
    {
        int highest = electrodes.SelectMany(rows => rows).DefaultIfEmpty(-1).Max();
        if (highest < 0)
            return null;
        if (!source.HasGroup(Table))
            throw new NwbException(source.Path, UnitElectrodes, $"names electrodes, and the file has no {Table}", "Write the table of electrodes too, or units without electrodes.");
        long count = source.Length($"{Table}/id");
        if (highest >= count)
            throw new NwbException(source.Path, UnitElectrodes, $"has the electrode {highest}, and {Table} has {count} rows", "Write rows of that table, from 0, not ids.");
        string[]? locations = null;
        foreach (string name in new[] { "group_name", "location" })
        {
            string place = $"{Table}/{name}";
            if (!source.Has(place) || source.Texts(place) is not { } texts)
                continue;
            if (texts.Length != count)
                throw new NwbException(source.Path, place, $"has {texts.Length} values, and the table has {count} rows", "Write the column anew with a value for each row.");
            // A location stands before the name of a group, where there is one.
            locations = locations is null ? texts : [.. texts.Zip(locations, (own, other) => own.Length > 0 ? own : other)];
        }

        return locations;
    }

    private static string? MostFrequent(string[] names) =>
        names.Length == 0 ? null : names.GroupBy(name => name).MaxBy(group => group.Count())!.Key;
}
