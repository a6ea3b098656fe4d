using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;
using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>A map at a state: F(z), and the exact Jacobian J = dF/dz by products with vectors, by its elements, or by blocks between areas.</summary>
/// <remarks>
/// J is made of the local derivatives of units, A = ds(t)/ds(t-1), c = ds(t)/du(t), g = dh(t)/ds(t), of the slopes of readouts that are fed
/// back, and of the weights. Where a transfer function has a kink, the slope is that of its left side.
/// </remarks>
public sealed class Linearization
{
    private readonly CircuitMap _map;

    internal Linearization(CircuitMap map)
    {
        _map = map;
        Next = new double[map.Size];
        Rates = Array.ConvertAll(map.Areas, area => new double[area.Units]);
        Gains = Array.ConvertAll(map.Areas, area => new double[area.HasGain ? area.Variables * area.Units : 0]);
        Slopes = Array.ConvertAll(map.Areas, area => new double[area.Variables * area.Units]);
        Decays = Array.ConvertAll(map.Areas, area => new double[area.Variables * area.Variables * area.Units]);
        Outputs = new double[map.Readouts.Length][];
    }

    /// <summary>F(z), shape (n).</summary>
    public double[] Next { get; }

    /// <summary>n.</summary>
    public int Size => _map.Size;

    /// <summary>h of each area in z.</summary>
    internal double[][] Rates { get; }

    /// <summary>g of each area in z, shape (variables, units); empty where it is 1.</summary>
    internal double[][] Gains { get; }

    /// <summary>c of each area, shape (variables, units).</summary>
    internal double[][] Slopes { get; }

    /// <summary>A of each area, shape (variables, variables, units).</summary>
    internal double[][] Decays { get; }

    /// <summary>y in z of the readouts that are fed back.</summary>
    internal double[][] Outputs { get; }

    /// <summary>J v.</summary>
    /// <param name="direction">v, shape (n).</param>
    /// <param name="product">Shape (n). Overwritten; must not overlap.</param>
    public void Multiply(ReadOnlySpan<double> direction, Span<double> product)
    {
        double[][] ofRates = new double[_map.Areas.Length][], ofOutputs = new double[_map.Readouts.Length][];
        for (int k = 0; k < ofRates.Length; k++)
            ofRates[k] = RatesOf(_map.Areas[k], Gains[k], direction);
        for (int k = 0; k < ofOutputs.Length; k++)
            ofOutputs[k] = OutputsOf(k, ofRates);
        for (int k = 0; k < ofRates.Length; k++)
        {
            AreaPart area = _map.Areas[k];
            double[] current = new double[area.Units];
            foreach (WeightBlock block in area.Afferents)
            {
                if (block.Source.Kind is SignalKind.Input or SignalKind.One)
                    continue;
                double[][] signals = block.Source.Kind == SignalKind.Area ? ofRates : ofOutputs;
                block.AddProduct(block.Source.Delay == 1 ? signals[block.Source.Index] : direction[_map.Place(block.Source)..], current);
            }

            Carry(area, k, direction, current, product);
        }

        foreach (Delayed delayed in _map.Delays())
            delayed.Shift(direction, (delayed.IsReadout ? ofOutputs : ofRates)[delayed.Index], product);
    }

    /// <summary>J' w, the credit of z from the credit w of F(z).</summary>
    /// <param name="credit">w, shape (n).</param>
    /// <param name="product">Shape (n). Overwritten; must not overlap.</param>
    public void MultiplyTransposed(ReadOnlySpan<double> credit, Span<double> product)
    {
        product.Clear();
        double[][] ofRates = Array.ConvertAll(_map.Areas, area => new double[area.Units]);
        double[][] ofOutputs = Array.ConvertAll(_map.Readouts, readout => new double[readout.Outputs]);
        foreach (Delayed delayed in _map.Delays())
            delayed.ShiftBack(credit, (delayed.IsReadout ? ofOutputs : ofRates)[delayed.Index], product);
        for (int k = 0; k < ofRates.Length; k++)
        {
            AreaPart area = _map.Areas[k];
            double[] current = CarryBack(area, k, credit, product);
            foreach (WeightBlock block in area.Afferents)
            {
                if (block.Source.Kind is SignalKind.Input or SignalKind.One)
                    continue;
                double[][] signals = block.Source.Kind == SignalKind.Area ? ofRates : ofOutputs;
                block.AddTransposed(current, block.Source.Delay == 1 ? signals[block.Source.Index] : product[_map.Place(block.Source)..]);
            }
        }

        for (int k = 0; k < ofOutputs.Length; k++)
        {
            if (!_map.Readouts[k].IsFedBack)
                continue;
            OutputFunction.Differentiate(_map.Readouts[k].Spec.Kind, Outputs[k], ofOutputs[k]);
            foreach (WeightBlock block in _map.Readouts[k].Afferents)
                if (block.Source.Kind == SignalKind.Area)
                    block.AddTransposed(ofOutputs[k], ofRates[block.Source.Index]);
        }

        for (int k = 0; k < ofRates.Length; k++)
            AddThroughGain(_map.Areas[k], Gains[k], ofRates[k], product);
    }

    /// <summary>J, shape (n, n). Memory and time grow as n^2 and as the number of weights.</summary>
    public Matrix<double> ToMatrix()
    {
        Matrix<double> jacobian = Matrix<double>.Build.Dense(Size, Size);
        Matrix<double>[] ofOutputs = new Matrix<double>[_map.Readouts.Length];
        for (int k = 0; k < ofOutputs.Length; k++)
            ofOutputs[k] = OutputJacobian(k);
        for (int k = 0; k < _map.Areas.Length; k++)
        {
            AddDecay(k, jacobian);
            foreach (WeightBlock block in _map.Areas[k].Afferents)
                AddWeights(k, block, ofOutputs, jacobian);
        }

        foreach (Delayed delayed in _map.Delays())
            AddShift(delayed, ofOutputs, jacobian);
        return jacobian;
    }

    /// <summary>The block of J from the states of one area to those of another, shape (variables x units of the target, of the source).</summary>
    /// <param name="target">The area whose next state it is.</param>
    /// <param name="source">The area whose state it depends on. Signals in transit through longer delays are not included.</param>
    /// <exception cref="ArgumentException">There is no such area.</exception>
    public Matrix<double> Block(string target, string source)
    {
        StateBlock to = _map.Block(target), from = _map.Block(source);
        return ToMatrix().SubMatrix(to.Start, to.Length, from.Start, from.Length);
    }

    private static double[] RatesOf(AreaPart area, double[] gain, ReadOnlySpan<double> direction)
    {
        double[] rates = new double[area.Units];
        if (!area.HasGain)
        {
            direction.Slice(area.Start, area.Units).CopyTo(rates);
            return rates;
        }

        for (int k = 0; k < area.Variables; k++)
            TensorPrimitives.MultiplyAdd(gain.AsSpan(k * area.Units, area.Units), direction.Slice(area.Start + k * area.Units, area.Units), rates, rates);
        return rates;
    }

    private static void AddThroughGain(AreaPart area, double[] gain, double[] ofRates, Span<double> product)
    {
        for (int k = 0; k < area.Variables; k++)
        {
            Span<double> to = product.Slice(area.Start + k * area.Units, area.Units);
            if (area.HasGain)
                TensorPrimitives.MultiplyAdd(gain.AsSpan(k * area.Units, area.Units), ofRates, to, to);
            else
                TensorPrimitives.Add(to, ofRates, to);
        }
    }

    private double[] OutputsOf(int readout, double[][] ofRates)
    {
        ReadoutPart part = _map.Readouts[readout];
        if (!part.IsFedBack)
            return [];
        double[] outputs = new double[part.Outputs];
        foreach (WeightBlock block in part.Afferents)
            if (block.Source.Kind == SignalKind.Area)
                block.AddProduct(ofRates[block.Source.Index], outputs);
        OutputFunction.Differentiate(part.Spec.Kind, Outputs[readout], outputs);
        return outputs;
    }

    /// <summary>A x + c v of an area.</summary>
    private void Carry(AreaPart area, int index, ReadOnlySpan<double> direction, double[] current, Span<double> product)
    {
        int n = area.Units, d = area.Variables;
        for (int k = 0; k < d; k++)
        {
            Span<double> to = product.Slice(area.Start + k * n, n);
            TensorPrimitives.Multiply(Slopes[index].AsSpan(k * n, n), current, to);
            for (int l = 0; l < d; l++)
                TensorPrimitives.MultiplyAdd(Decays[index].AsSpan((k * d + l) * n, n), direction.Slice(area.Start + l * n, n), to, to);
        }
    }

    /// <summary>Adds A' w of an area; returns c . w.</summary>
    private double[] CarryBack(AreaPart area, int index, ReadOnlySpan<double> credit, Span<double> product)
    {
        int n = area.Units, d = area.Variables;
        double[] current = new double[n];
        for (int k = 0; k < d; k++)
        {
            ReadOnlySpan<double> from = credit.Slice(area.Start + k * n, n);
            TensorPrimitives.MultiplyAdd(Slopes[index].AsSpan(k * n, n), from, current, current);
            for (int l = 0; l < d; l++)
            {
                Span<double> to = product.Slice(area.Start + l * n, n);
                TensorPrimitives.MultiplyAdd(Decays[index].AsSpan((k * d + l) * n, n), from, to, to);
            }
        }

        return current;
    }

    private double Gain(int area, int variable, int unit) => _map.Areas[area].HasGain ? Gains[area][variable * _map.Areas[area].Units + unit] : 1;

    /// <summary>dy/dz of a readout that is fed back, shape (outputs, n).</summary>
    private Matrix<double> OutputJacobian(int readout)
    {
        ReadoutPart part = _map.Readouts[readout];
        Matrix<double> jacobian = Matrix<double>.Build.Dense(part.IsFedBack ? part.Outputs : 1, Size);
        if (!part.IsFedBack)
            return jacobian;
        foreach (WeightBlock block in part.Afferents)
        {
            if (block.Source.Kind != SignalKind.Area)
                continue;
            AreaPart source = _map.Areas[block.Source.Index];
            foreach ((int post, int pre, double weight) in block.Entries())
                for (int l = 0; l < source.Variables; l++)
                    jacobian[post, source.Start + l * source.Units + pre] += weight * Gain(block.Source.Index, l, pre);
        }

        double[] column = new double[part.Outputs];
        for (int j = 0; j < Size; j++)
        {
            for (int k = 0; k < column.Length; k++)
                column[k] = jacobian[k, j];
            OutputFunction.Differentiate(part.Spec.Kind, Outputs[readout], column);
            jacobian.SetColumn(j, column);
        }

        return jacobian;
    }

    private void AddDecay(int index, Matrix<double> jacobian)
    {
        AreaPart area = _map.Areas[index];
        int n = area.Units, d = area.Variables;
        for (int k = 0; k < d; k++)
            for (int l = 0; l < d; l++)
                for (int i = 0; i < n; i++)
                    jacobian[area.Start + k * n + i, area.Start + l * n + i] += Decays[index][(k * d + l) * n + i];
    }

    private void AddWeights(int index, WeightBlock block, Matrix<double>[] ofOutputs, Matrix<double> jacobian)
    {
        Source source = block.Source;
        if (source.Kind is SignalKind.Input or SignalKind.One)
            return;
        AreaPart area = _map.Areas[index];
        foreach ((int post, int pre, double weight) in block.Entries())
        {
            for (int k = 0; k < area.Variables; k++)
            {
                int row = area.Start + k * area.Units + post;
                double factor = Slopes[index][k * area.Units + post] * weight;
                if (source.Delay > 1)
                    jacobian[row, _map.Place(source) + pre] += factor;
                else if (source.Kind == SignalKind.Area)
                    AddRate(source.Index, pre, factor, row, jacobian);
                else
                    for (int j = 0; j < Size; j++)
                        jacobian[row, j] += factor * ofOutputs[source.Index][pre, j];
            }
        }
    }

    /// <summary>Adds a multiple of dh/dz of a unit to a row.</summary>
    private void AddRate(int area, int unit, double factor, int row, Matrix<double> jacobian)
    {
        AreaPart source = _map.Areas[area];
        for (int l = 0; l < source.Variables; l++)
            jacobian[row, source.Start + l * source.Units + unit] += factor * Gain(area, l, unit);
    }

    private void AddShift(Delayed delayed, Matrix<double>[] ofOutputs, Matrix<double> jacobian)
    {
        for (int lag = 0; lag < delayed.Lags; lag++)
        {
            for (int i = 0; i < delayed.Width; i++)
            {
                int row = delayed.Start + lag * delayed.Width + i;
                if (lag > 0)
                    jacobian[row, row - delayed.Width] = 1;
                else if (delayed.IsReadout)
                    jacobian.SetRow(row, ofOutputs[delayed.Index].Row(i));
                else
                    AddRate(delayed.Index, i, 1, row, jacobian);
            }
        }
    }
}
